import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { isOrchError } from '../../model/errors.ts';
import { commands } from '../commands.ts';
import { runCommandLine } from '../main.ts';
import { FakeApiClient, printed, testContext } from '../testing.ts';

const run = (client: FakeApiClient, words: readonly string[], clock = new FakeClock()) => printed(runCommandLine(commands, words, () => testContext(client, { clock })));

describe('service create', () => {
  it('reads files of variables, with what the command line says after them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'orch-env-'));
    try {
      await writeFile(join(directory, 'env'), '# comment\n\nA=1\r\nB= x # y\n  \nUNSET\n');
      const client = new FakeApiClient({ 'POST /services/create': { ID: 's1' } });
      const out = await run(client, ['service', 'create', '-d', '--env-file', join(directory, 'env'), '--env', 'A=2', 'demo:1']);
      assert.deepEqual([out.stdout, out.error], ['s1\n', undefined]);
      assert.match(JSON.stringify(client.requests[0]?.body), /"Env":\["A=1","B= x # y","A=2"\]/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('says which file of variables is missing', async () => {
    const { error } = await run(new FakeApiClient({}), ['service', 'create', '--env-file', '/does/not/exist', 'demo:1']);
    assert.ok(isOrchError(error, 'ORCH_USAGE'));
    assert.equal(error.message, '--env-file: cannot read /does/not/exist: there is no such file');
  });

  it('makes a name up when none is given, and prints warnings to standard error', async () => {
    const client = new FakeApiClient({ 'POST /services/create': { ID: 's1', Warnings: ['it is late'] } });
    const out = await run(client, ['service', 'create', '--detach', 'demo:1']);
    assert.deepEqual([out.stdout, out.stderr], ['s1\n', 'warning: it is late\n']);
    assert.match(JSON.stringify(client.requests[0]?.body), /"Name":"[a-z]+-[a-z]+|"Name":"\w+"/);
  });
});

const service = (name: string, mode: object) => ({ ID: `id-${name}`, Version: { Index: 3 }, Spec: { Name: name, Mode: mode, TaskTemplate: { ContainerSpec: { Image: 'demo:1' } } } });

describe('service scale', () => {
  const daemon = () => new FakeApiClient({
    'GET /services/web': service('web', { Replicated: { Replicas: 1 } }), 'GET /services/all': service('all', { Global: {} }), 'POST /services/id-web/update': { Warnings: null },
  });

  it('changes nothing but the number', async () => {
    const client = daemon();
    assert.equal((await run(client, ['service', 'scale', '--detach', 'web=5'])).stdout, 'web scaled to 5\n');
    assert.deepEqual(client.requests.at(-1)?.body, service('web', { Replicated: { Replicas: 5 } }).Spec);
  });

  it('changes nothing at all when one of the services can not be scaled', async () => {
    for (const wrong of ['all=2', 'missing=2']) {
      const client = daemon();
      assert.ok(isOrchError((await run(client, ['service', 'scale', 'web=5', wrong])).error));
      assert.ok(client.requests.every(({ method = 'GET' }) => method === 'GET'), wrong);
    }
  });

  it('refuses what is no number', async () => {
    for (const text of ['web', 'web=', 'web=-1', 'web=x', '=3']) assert.ok(isOrchError((await run(daemon(), ['service', 'scale', text])).error, 'ORCH_USAGE'), text);
  });
});

describe('service rm', () => {
  it('looks all up before it removes the first', async () => {
    const client = new FakeApiClient({ 'GET /services/web': service('web', {}), 'DELETE /services/id-web': undefined });
    assert.equal((await run(client, ['service', 'rm', 'web'])).stdout, 'web');
    assert.deepEqual(client.calls, ['GET /services/web', 'DELETE /services/id-web']);
    const other = new FakeApiClient({ 'GET /services/web': service('web', {}) });
    assert.ok(isOrchError((await run(other, ['service', 'rm', 'web', 'missing'])).error, 'ORCH_NOT_FOUND'));
    assert.ok(other.calls.every((call) => call.startsWith('GET')));
  });
});
