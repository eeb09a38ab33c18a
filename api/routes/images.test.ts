import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { OrchError } from '../../model/errors.ts';
import { assertDocker } from '../../test/support/docker-reference.ts';
import { image, testApi } from '../testing.ts';

const WEB = image({ id: `sha256:${'1'.repeat(64)}`, tags: ['web:1', 'registry.lan:5000/team/web:1'], createdAtMs: 2_000 });
const NAMELESS = image({ id: `sha256:${'2'.repeat(64)}`, tags: [], createdAtMs: 1_000 });

async function withImages(): ReturnType<typeof testApi> {
  const under = await testApi();
  under.engine.imageList = [NAMELESS, WEB];
  return under;
}

const jsonLines = (body: string): Record<string, unknown>[] => body.trim().split('\r\n').map((line) => JSON.parse(line));
const auth = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('images of the node', () => {
  it('are listed newest first and filtered', async () => {
    await using under = await withImages();
    const ids = async (query: string): Promise<string[]> => {
      const list = (await under.api.inject(`/images/json${query}`)).json();
      assertDocker('ImageSummary[]', list);
      return list.map(({ Id }: { Id: string }) => Id);
    };
    assert.deepEqual(await ids(''), [WEB.id, NAMELESS.id]);
    const filtered = (filters: object): Promise<string[]> => ids(`?filters=${encodeURIComponent(JSON.stringify(filters))}`);
    assert.deepEqual(await filtered({ dangling: ['true'] }), [NAMELESS.id]);
    assert.deepEqual(await filtered({ dangling: ['false'] }), [WEB.id]);
    assert.deepEqual(await filtered({ reference: ['we?'] }), [WEB.id]);
    assert.deepEqual(await filtered({ reference: ['*:1'] }), [WEB.id]);
    assert.deepEqual(await filtered({ reference: ['*/web'] }), []);
    assert.deepEqual(await filtered({ since: [NAMELESS.id] }), [WEB.id]);
  });

  it('are listed with only the names that were asked for', async () => {
    await using under = await withImages();
    const names = async (reference: string[]): Promise<unknown> => (await under.api.inject(`/images/json?filters=${encodeURIComponent(JSON.stringify({ reference }))}`)).json()[0].RepoTags;
    assert.deepEqual(await names(['web']), ['web:1']);
    assert.deepEqual(await names(['web', '*/team/*:1']), ['web:1', 'registry.lan:5000/team/web:1']);
  });

  it('are inspected by names with slashes, also when these are escaped', async () => {
    await using under = await withImages();
    for (const name of ['web:1', 'registry.lan:5000/team/web:1', 'registry.lan:5000%2Fteam%2Fweb:1']) {
      const inspected = (await under.api.inject(`/v1.45/images/${name}/json`)).json();
      assertDocker('ImageInspect', inspected);
      assert.equal(inspected.Id, WEB.id);
      assertDocker('ImageHistoryResponseItem[]', (await under.api.inject(`/images/${name}/history`)).json());
    }
    const missing = await under.api.inject('/images/team/other/json');
    assert.equal(missing.statusCode, 404);
    assert.equal(missing.json().message, 'No such image: team/other');
  });

  it('are tagged and removed', async () => {
    await using under = await withImages();
    assert.equal((await under.api.inject({ method: 'POST', url: '/images/web:1/tag?repo=team/web&tag=2' })).statusCode, 201);
    const removed = await under.api.inject({ method: 'DELETE', url: '/images/registry.lan:5000/team/web:1?force=1' });
    assertDocker('ImageDeleteResponseItem[]', removed.json());
    assert.deepEqual(under.engine.calls, [{ name: 'tag', args: [WEB.id, 'team/web:2'] }, { name: 'remove', args: ['registry.lan:5000/team/web:1', { force: true }] }]);
    assert.equal((await under.api.inject({ method: 'POST', url: '/images/web:1/tag?repo=UPPER' })).statusCode, 400);
  });
});

describe('pulling an image', () => {
  it('streams the steps and passes credentials and platform on', async () => {
    await using under = await withImages();
    under.engine.imageList = [WEB];
    under.engine.onPull = async ({ onProgress }) => {
      onProgress?.({ layer: 'abc', status: 'Downloading', currentBytes: 1, totalBytes: 9 });
      onProgress?.({ layer: 'abc', status: 'Downloading', currentBytes: 9, totalBytes: 9 });
      onProgress?.({ layer: 'abc', status: 'Pull complete' });
    };
    const response = await under.api.inject({ method: 'POST', url: '/images/create?fromImage=web&tag=1&platform=linux/arm64', headers: { 'x-registry-auth': auth({ username: 'u', password: 'p:1' }) } });
    const lines = jsonLines(response.body);
    for (const line of lines) assertDocker('CreateImageInfo', line);
    assert.deepEqual(lines, [
      { status: 'Downloading', progressDetail: { current: 9, total: 9 }, id: 'abc' }, { status: 'Pull complete', progressDetail: {}, id: 'abc' },
      { status: 'Digest: sha256:d' }, { status: 'Status: Image is up to date for web:1' },
    ]);
    assert.deepEqual(under.engine.calls, [{ name: 'pull', args: ['web:1', { username: 'u', password: 'p:1' }, { os: 'linux', arch: 'arm64' }] }]);
  });

  it('takes the latest image when neither tag nor digest is named, and the digest when one is', async () => {
    await using under = await withImages();
    for (const query of ['fromImage=team/web', `fromImage=web&tag=sha256:${'3'.repeat(64)}`, `fromImage=web@sha256:${'3'.repeat(64)}&tag=1`]) await under.api.inject({ method: 'POST', url: `/images/create?${query}` });
    assert.deepEqual(under.engine.calls.map(({ args }) => args[0]), ['team/web:latest', `web@sha256:${'3'.repeat(64)}`, `web@sha256:${'3'.repeat(64)}`]);
  });

  it('fails as a plain error before the first step and as the last line after it', async () => {
    await using under = await withImages();
    under.engine.onPull = async () => { throw new OrchError('ORCH_NOT_FOUND', 'The registry has no web:9', { hint: 'Check the name' }); };
    const early = await under.api.inject({ method: 'POST', url: '/images/create?fromImage=web:9' });
    assert.deepEqual([early.statusCode, early.json()], [404, { message: 'The registry has no web:9', code: 'ORCH_NOT_FOUND', hint: 'Check the name' }]);
    under.engine.onPull = async ({ onProgress }) => {
      onProgress?.({ layer: 'abc', status: 'Downloading' });
      throw new OrchError('ORCH_REGISTRY', 'The registry hung up');
    };
    const late = jsonLines((await under.api.inject({ method: 'POST', url: '/images/create?fromImage=web:9' })).body);
    assert.deepEqual(late.at(-1), { errorDetail: { message: 'The registry hung up' }, error: 'The registry hung up', code: 'ORCH_REGISTRY' });
  });

  it('refuses credentials it cannot read, and never repeats them', async () => {
    await using under = await withImages();
    const response = await under.api.inject({ method: 'POST', url: '/images/create?fromImage=web', headers: { 'x-registry-auth': Buffer.from('{"password":"secret"').toString('base64url') } });
    assert.equal(response.statusCode, 400);
    assert.ok(!response.body.includes('secret'));
  });
});

describe('images from an archive', () => {
  it('are loaded from the body', async () => {
    await using under = await withImages();
    under.engine.imageList = [WEB];
    const payload = Buffer.alloc(3_000_000, 7);
    const response = await under.api.inject({ method: 'POST', url: '/images/load', payload, headers: { 'content-type': 'application/x-tar' } });
    assert.ok(under.engine.received.equals(payload));
    assert.deepEqual(jsonLines(response.body), [
      { status: 'Loading layer', progressDetail: { current: 1, total: 2 }, id: 'layer1' },
      { stream: 'Loaded image: web:1\n' }, { stream: 'Loaded image: registry.lan:5000/team/web:1\n' },
    ]);
    const quiet = await under.api.inject({ method: 'POST', url: '/images/load?quiet=1', payload });
    assert.equal(jsonLines(quiet.body).length, 2);
  });

  it('are imported with changes, a name and a message', async () => {
    await using under = await withImages();
    under.engine.imageList = [WEB];
    const response = await under.api.inject({ method: 'POST', url: '/images/create?fromSrc=-&repo=web&tag=2&message=by%20hand&changes=CMD%20sh&changes=ENV%20A%3D1', payload: Buffer.from('tar') });
    assert.deepEqual(jsonLines(response.body), [{ status: WEB.id }]);
    assert.deepEqual(under.engine.calls, [{ name: 'importRoot', args: ['web:2', ['CMD sh', 'ENV A=1'], 'by hand'] }]);
    assert.equal(under.engine.received.toString(), 'tar');
    assert.equal((await under.api.inject({ method: 'POST', url: '/images/create?fromSrc=http://x/y.tar' })).statusCode, 501);
    assert.equal((await under.api.inject({ method: 'POST', url: '/images/create' })).statusCode, 400);
  });
});
