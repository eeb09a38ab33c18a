import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { isOrchError } from '../../model/errors.ts';
import { commands } from '../commands.ts';
import type { CommandContext } from '../command.ts';
import { runCommandLine } from '../main.ts';
import { FakeApiClient, printed, testContext } from '../testing.ts';

const run = (client: FakeApiClient, words: readonly string[], over: Partial<CommandContext> = {}) => printed(runCommandLine(commands, words, () => testContext(client, { clock: new FakeClock(3_600_000), ...over })));
const id = `sha256:${'a'.repeat(64)}`;
const digest = `sha256:${'b'.repeat(64)}`;
const list = new FakeApiClient({ 'GET /images/json': [
  { Id: id, RepoTags: ['reg.lan:5000/demo:1', 'reg.lan:5000/demo:2'], RepoDigests: [`reg.lan:5000/demo@${digest}`], Created: 0, Size: 1_572_864 },
  { Id: `sha256:${'c'.repeat(64)}`, RepoTags: [], RepoDigests: [], Created: 0, Size: 10 },
] });

describe('image ls', () => {
  it('has a line for each name, and one for an image without', async () => {
    const lines = (await run(list, ['images'])).stdout.split('\n').map((line) => line.split(/ {2,}/));
    assert.deepEqual(lines, [
      ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'], ['reg.lan:5000/demo', '1', 'aaaaaaaaaaaa', 'About an hour ago', '1.5MiB'],
      ['reg.lan:5000/demo', '2', 'aaaaaaaaaaaa', 'About an hour ago', '1.5MiB'], ['<none>', '<none>', 'cccccccccccc', 'About an hour ago', '10B'],
    ]);
  });

  it('prints each id once for scripts, and digests when asked to', async () => {
    assert.equal((await run(list, ['image', 'ls', '-q'])).stdout, 'aaaaaaaaaaaa\ncccccccccccc');
    assert.ok((await run(list, ['image', 'ls', '--digests'])).stdout.includes(digest));
  });
});

describe('image load and import', () => {
  it('say what to do about a file that is missing or is a directory', async () => {
    const refusal = async (...words: string[]): Promise<string> => {
      const { error } = await run(new FakeApiClient({}), words);
      assert.ok(isOrchError(error, 'ORCH_USAGE'), String(error));
      return `${error.message}; ${error.hint ?? ''}`;
    };
    assert.match(await refusal('image', 'load', '-i', '/does/not/exist'), /there is no such file/);
    assert.match(await refusal('image', 'load', '-i', '/'), /it is a directory.*tar -C \//);
    assert.match(await refusal('image', 'import', '/', 'demo:1'), /it is a directory/);
  });
});

describe('image pull', () => {
  const lines = ['{"status":"Pulling from demo","id":"1"}\n{"status":"Downloading","progressDetail":{"current":1,"total":2},"id":"abc"}\n', '{"status":"Downloading","progressDetail":{"current":2,"total":2},"id":"abc"}\n{"status":"Status: done"}\n'];

  it('prints each status once where there is no terminal, and only the last words when quiet', async () => {
    const client = new FakeApiClient({ 'POST /images/create': lines });
    assert.equal((await run(client, ['pull', 'reg.lan:5000/demo:1'])).stdout, '1: Pulling from demo\nabc: Downloading\nStatus: done\n');
    assert.equal(client.calls[0], 'POST /images/create?fromImage=reg.lan%3A5000%2Fdemo&tag=1');
    assert.equal((await run(client, ['pull', '-q', 'reg.lan:5000/demo:1'])).stdout, 'Status: done\n');
  });

  it('redraws the line of a layer on a terminal', async () => {
    const out = await run(new FakeApiClient({ 'POST /images/create': lines }), ['pull', 'demo'], { terminal: { stdoutIsTerminal: true, stderrIsTerminal: true, columns: 80 } });
    assert.ok(out.stdout.includes('abc: Downloading 1B/2B\n\u001B[1A\r\u001B[Kabc: Downloading 2B/2B\u001B[1B\r'), JSON.stringify(out.stdout));
  });

  it('ends with the code and sentence that the stream ends with', async () => {
    const { error } = await run(new FakeApiClient({ 'POST /images/create': ['{"error":"The registry has no demo:1","code":"ORCH_NOT_FOUND","hint":"Is it spelled so?"}\n'] }), ['pull', 'demo:1']);
    assert.ok(isOrchError(error, 'ORCH_NOT_FOUND'));
    assert.deepEqual([error.message, error.hint], ['The registry has no demo:1', 'Is it spelled so?']);
  });

  it('sends the password of the environment, and never shows it', async () => {
    const client = new FakeApiClient({ 'POST /images/create': [] });
    const out = await run(client, ['pull', '--username', 'ann', 'demo:1'], { environmentVariable: (name) => name === 'ORCH_REGISTRY_PASSWORD' ? 'secret' : undefined });
    assert.deepEqual(JSON.parse(Buffer.from(client.requests[0]?.headers?.['X-Registry-Auth'] ?? '', 'base64url').toString()), { username: 'ann', password: 'secret' });
    assert.doesNotMatch(JSON.stringify(out), /secret/);
  });
});

describe('image import, load and tag', () => {
  it('sends a file or standard input as it is', async () => {
    const client = new FakeApiClient({ 'POST /images/create': ['{"status":"sha256:1"}'], 'POST /images/load': ['{"stream":"Loaded image: demo:1\\n"}'] });
    const chunk = Buffer.from('tar');
    const stdin = async function* stdin(): AsyncGenerator<Uint8Array> { yield chunk; };
    assert.equal((await run(client, ['image', 'import', '--change', 'CMD ["sh"]', '-', 'reg.lan:5000/demo:2'], { stdin })).stdout, 'sha256:1\n');
    assert.equal(client.calls[0], 'POST /images/create?fromSrc=-&repo=reg.lan%3A5000%2Fdemo&tag=2&changes=CMD+%5B%22sh%22%5D');
    assert.equal((await run(client, ['image', 'load'], { stdin })).stdout, 'Loaded image: demo:1\n');
    assert.deepEqual(await Array.fromAsync(client.requests[1]?.upload?.chunks ?? []), [chunk]);
  });

  it('says which file is not there', async () => assert.ok(isOrchError((await run(new FakeApiClient({}), ['image', 'load', '/does/not/exist'])).error, 'ORCH_USAGE')));

  it('keeps the slashes of names in paths', async () => {
    const client = new FakeApiClient({ 'POST /images/reg.lan%3A5000/a/demo%3A1/tag': undefined });
    assert.equal((await run(client, ['image', 'tag', 'reg.lan:5000/a/demo:1', 'demo:2'])).error, undefined);
    assert.ok(client.calls[0]?.endsWith('/tag?repo=demo&tag=2'));
  });
});
