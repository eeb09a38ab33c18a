import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import type { PullProgress } from '../../model/image-pull.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import type { ImageStoreOptions } from '../../runtime/images/open-image-store.ts';
import { sha256, tar, testStore } from '../../runtime/images/testing.ts';
import type { TestStore } from '../../runtime/images/testing.ts';
import { breakAfter, FakeRegistry, sendError } from './images-fake-registry.ts';

const base = await tar([{ name: 'etc/', type: 'directory' }, { name: 'etc/name', content: 'base' }]);
const top = await tar([{ name: 'etc/name', content: 'top' }]);
/** Does not compress, so that a break in the middle is in the middle. */
const large = await tar([{ name: 'data', content: randomBytes(3_000_000) }]);

const registry = { retryBaseMs: 1, timeoutMs: 400 };
const pullingStore = (options: Partial<ImageStoreOptions> = {}): Promise<TestStore> => testStore({ registry, ...options });

async function assertEmpty({ dataDir, store }: TestStore): Promise<void> {
  assert.deepEqual(store.list(), []);
  for (const directory of ['l', 'blobs/sha256', 'tmp']) assert.deepEqual(await readdir(join(dataDir, directory)), [], directory);
}

describe('pulling', () => {
  for (const format of ['oci', 'docker'] as const) {
    it(`fetches an image in ${format} format by its tag`, async () => {
      await using server = await FakeRegistry.start();
      await using test = await pullingStore();
      const pushed = server.push('team/web:1', { layers: [base, top], config: { Cmd: ['sh'] } }, { format });
      const image = await test.store.pull(server.reference('team/web:1'));
      assert.equal(image.id, pushed.imageId);
      assert.deepEqual(image.tags, [`${server.host}/team/web:1`]);
      assert.deepEqual(image.repoDigests, [`${server.host}/team/web@${pushed.manifestDigest}`]);
      const { lowerDirs } = await test.store.acquireLayers(image.id, 'c');
      assert.deepEqual(await Promise.all(lowerDirs.map((directory) => readFile(join(directory, 'etc/name'), 'utf8'))), ['top', 'base']);
      assert.deepEqual((await readdir(join(test.dataDir, 'tmp'))), []);
    });
  }

  it('goes by the Content-Type of a manifest that does not name its type', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const pushed = server.push('web:1', { layers: [base] }, { withMediaType: false });
    assert.equal((await test.store.pull(server.reference('web:1'))).id, pushed.imageId);
  });

  it('unpacks layers compressed with zstd', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.push('web:1', { layers: [base] }, { compress: (layer) => zstdCompressSync(layer) });
    assert.deepEqual((await test.store.pull(server.reference('web:1'))).diffIds, [sha256(base)]);
  });

  it('fetches only what is not here, and says so', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.push('web:1', { layers: [base] });
    const second = server.push('web:2', { layers: [base, top] });
    await test.store.pull(server.reference('web:1'));
    server.requests.length = 0;
    const progress: PullProgress[] = [];
    await test.store.pull(server.reference('web:2'), { onProgress: (step) => progress.push(step) });
    assert.deepEqual(server.paths(/blobs/).filter((path) => path.includes(second.layerDigests[0] ?? '')), []);
    const short = (index: number): string => (second.layerDigests[index] ?? '').slice('sha256:'.length, 'sha256:'.length + 12);
    assert.ok(progress.some(({ layer, status }) => layer === short(0) && status === 'Already exists'));
    assert.ok(progress.some(({ layer, status, currentBytes, totalBytes }) => layer === short(1) && status === 'Downloading' && currentBytes === totalBytes));
    assert.equal(progress.findLast(({ layer }) => layer === short(1))?.status, 'Pull complete');
    progress.length = 0;
    await test.store.pull(server.reference('web:2'), { onProgress: (step) => progress.push(step) });
    assert.deepEqual([...new Set(progress.map(({ status }) => status))], ['Pulling from web', 'Pulling fs layer', 'Already exists']);
  });

  it('asks no registry for a digest that is here', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const pushed = server.push('web:1', { layers: [base] });
    const reference = server.reference(`web@${pushed.manifestDigest}`);
    const image = await test.store.pull(reference);
    assert.deepEqual(image.tags, []);
    server.requests.length = 0;
    assert.deepEqual(await test.store.pull(reference), image);
    assert.deepEqual(server.requests, []);
  });

  it('downloads at most three layers at once', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const layers = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((index) => tar([{ name: `file${index}`, content: randomBytes(1000) }])));
    server.push('web:1', { layers });
    let open = 0;
    let most = 0;
    server.intercept = async ({ path }, response) => {
      if (!path.includes('/blobs/')) return false;
      open += 1;
      most = Math.max(most, open);
      response.on('close', () => { open -= 1; });
      await systemClock.sleep(20);
      return false;
    };
    await test.store.pull(server.reference('web:1'));
    assert.equal(most, 3);
  });

  it('shares one download between pulls that need the same layer', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const pushed = server.push('web:1', { layers: [large] });
    server.push('web:2', { layers: [large, top] });
    await Promise.all([test.store.pull(server.reference('web:1')), test.store.pull(server.reference('web:2')), test.store.pull(server.reference('web:1'))]);
    assert.equal(server.paths().filter((path) => path.endsWith(pushed.layerDigests[0] ?? '')).length, 1);
    assert.equal(test.store.list().length, 2);
  });

  it('goes on for the others when one of two pulls of the same layer is aborted', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.push('web:1', { layers: [large] });
    const abort = new AbortController();
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    server.intercept = async ({ path }) => {
      if (!path.includes('/blobs/')) return false;
      started.resolve();
      await gate.promise;
      return false;
    };
    const first = test.store.pull(server.reference('web:1'), { signal: abort.signal });
    const second = test.store.pull(server.reference('web:1'));
    await started.promise;
    abort.abort(new Error('changed my mind'));
    await assert.rejects(first, { message: 'changed my mind' });
    gate.resolve();
    assert.deepEqual((await second).diffIds, [sha256(large)]);
  });

  it('leaves nothing when it is aborted, and none of it when the store is closed', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.push('web:1', { layers: [large] });
    for (const stop of ['abort', 'close']) {
      const abort = new AbortController();
      const begun = Promise.withResolvers<void>();
      server.intercept = ({ path }, response) => {
        if (!path.includes('/blobs/')) return false;
        response.writeHead(200, { 'content-length': large.length }).write(large.subarray(0, 1000));
        begun.resolve();
        return true;
      };
      const pull = assert.rejects(test.store.pull(server.reference('web:1'), { signal: abort.signal }), { message: stop === 'abort' ? 'stop it' : 'The image store is closed' });
      await begun.promise;
      if (stop === 'abort') abort.abort(new Error('stop it'));
      else await test.reopen();
      await pull;
      await assertEmpty(test);
    }
  });
});

describe('choosing a platform', () => {
  const image = (architecture: string, variant?: string): Parameters<FakeRegistry['push']>[1] =>
    ({ layers: [base], config: { Labels: { for: `${architecture}${variant ?? ''}` } }, platform: { os: 'linux', architecture, ...(variant && { variant }) } });

  it('takes the own architecture, then the highest variant that runs', async () => {
    await using server = await FakeRegistry.start();
    const variants = [['amd64', undefined], ['arm', 'v6'], ['arm', 'v7'], ['arm64', 'v8']] as const;
    const entries = variants.map(([architecture, variant]) => ({ image: server.push(`web:${architecture}${variant ?? ''}`, image(architecture, variant)), platform: { os: 'linux', architecture, ...(variant && { variant }) } }));
    for (const format of ['oci', 'docker'] as const) {
      const digest = server.pushIndex('web:1', entries, format);
      for (const [arch, variant, chosen] of [['amd64', undefined, 'amd64'], ['arm64', undefined, 'arm64v8'], ['arm', undefined, 'armv7'], ['arm', 'v7', 'armv7'], ['arm', 'v6', 'armv6']] as const) {
        await using test = await pullingStore({ platform: { os: 'linux', arch, ...(variant && { variant }) } });
        const pulled = await test.store.pull(server.reference('web:1'));
        assert.equal(pulled.config.labels['for'], chosen);
        assert.deepEqual(pulled.repoDigests, [`${server.host}/web@${digest}`]);
      }
    }
  });

  it('says which platforms there are when none fits', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const arm = server.push('web:arm', image('arm64'));
    server.pushIndex('web:1', [
      { image: arm, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { image: arm, platform: { os: 'linux', architecture: 's390x' } },
      { image: arm, platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
    ]);
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_NOT_FOUND', message: `There is no linux/amd64 image of "${server.host}/web:1", only linux/arm64/v8, linux/s390x` });
    await assert.rejects(test.store.pull(server.reference('web:arm')), { code: 'ORCH_NOT_FOUND', message: `There is no linux/amd64 image of "${server.host}/web:arm", only linux/arm64` });
    assert.equal((await test.store.pull(server.reference('web:arm'), { platform: { os: 'linux', arch: 'arm64' } })).platform.arch, 'arm64');
  });
});

describe('a registry that fails', () => {
  it('is asked again after 500 and 503, and given up in its own words', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.push('web:1', { layers: [base] });
    const failures = new Map<string, number>();
    server.intercept = ({ path }, response) => {
      const seen = (failures.get(path) ?? 0) + 1;
      failures.set(path, seen);
      return seen <= 2 && path !== '/v2/' ? sendError(response, { status: seen === 1 ? 500 : 503, code: 'UNKNOWN', message: 'out of order' }) : false;
    };
    await test.store.pull(server.reference('web:1'));
    await test.store.remove(`${server.host}/web:1`, { force: false });
    server.intercept = (_request, response) => sendError(response, { status: 500, code: 'UNKNOWN', message: 'out of order' });
    server.requests.length = 0;
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_REGISTRY', message: `Registry ${server.host} failed to deliver "${server.host}/web:1": unknown: out of order` });
    assert.equal(server.paths(/manifests/).length, 5);
    await assertEmpty(test);
  });

  it('tells who asks for what it does not have', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_NOT_FOUND', message: `Registry ${server.host} has no "${server.host}/web:1": manifest unknown: not known to the registry` });
    const pushed = server.push('web:1', { layers: [base] });
    server.blobs.delete(pushed.layerDigests[0] ?? '');
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_NOT_FOUND', message: `Registry ${server.host} has no "${server.host}/web:1": blob unknown: not known to the registry` });
    assert.equal(server.paths(/manifests/).length, 2);
    await assertEmpty(test);
  });

  it('is left alone as long as it asks with Retry-After, unless that is too long', async () => {
    const slept: number[] = [];
    const clock = { ...systemClock, sleep: (durationMs: number, signal?: AbortSignal) => {
      slept.push(durationMs);
      return systemClock.sleep(durationMs === 7000 ? 1 : durationMs, signal);
    } };
    await using server = await FakeRegistry.start();
    await using test = await pullingStore({ clock });
    server.push('web:1', { layers: [base] });
    let left = 1;
    let retryAfter = '7';
    server.intercept = ({ path }, response) => path.includes('manifests') && left-- > 0 && sendError(response, { status: 429, code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit', headers: { 'retry-after': retryAfter } });
    await test.store.pull(server.reference('web:1'));
    assert.ok(slept.includes(7000));
    left = 1;
    retryAfter = '3600';
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_REGISTRY', message: `Registry ${server.host} limits how often "${server.host}/web:1" may be asked for: toomanyrequests: You have reached your pull rate limit` });
    assert.equal(left, 0);
  });

  it('breaks the connection in the middle: the rest is fetched, not the whole', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const [digest = ''] = server.push('web:1', { layers: [large] }).layerDigests;
    const blob = server.blobs.get(digest) ?? Buffer.alloc(0);
    const ranges: (string | undefined)[] = [];
    server.intercept = ({ path, headers }, response) => {
      if (!path.endsWith(digest)) return false;
      ranges.push(headers.range);
      const start = Number(/\d+/.exec(headers.range ?? '')?.[0] ?? 0);
      return ranges.length <= 8 && breakAfter(response, blob, { start, bytes: 300_000 });
    };
    const image = await test.store.pull(server.reference('web:1'));
    assert.deepEqual(image.diffIds, [sha256(large)]);
    assert.equal(ranges[0], undefined);
    assert.ok(ranges.length === 9 && ranges.slice(1).every((range) => range !== undefined && range !== 'bytes=0-'), 'more breaks than tries, each taken up where it happened');
  });

  it('breaks the connection and cannot resume: the whole is fetched again', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.supportsRange = false;
    const [digest = ''] = server.push('web:1', { layers: [large] }).layerDigests;
    let breaks = 1;
    server.intercept = ({ path }, response) => path.endsWith(digest) && breaks-- > 0 && breakAfter(response, server.blobs.get(digest) ?? Buffer.alloc(0), { bytes: 300_000 });
    assert.deepEqual((await test.store.pull(server.reference('web:1'))).diffIds, [sha256(large)]);
  });

  it('breaks every connection before a byte: given up, nothing left', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    server.push('web:1', { layers: [base] });
    server.intercept = ({ path }, response) => {
      if (!path.includes('/blobs/')) return false;
      response.destroy();
      return true;
    };
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_REGISTRY', message: `Registry ${server.host} cannot be asked for "${server.host}/web:1": socket hang up` });
    await assertEmpty(test);
  });

  it('stands still in the middle of a layer: the connection is cut and taken up', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const [digest = ''] = server.push('web:1', { layers: [large] }).layerDigests;
    const blob = server.blobs.get(digest) ?? Buffer.alloc(0);
    let stalls = 1;
    server.intercept = ({ path }, response) => {
      if (!path.endsWith(digest) || stalls-- <= 0) return false;
      response.writeHead(200, { 'content-length': blob.length }).write(blob.subarray(0, 500_000));
      return true;
    };
    assert.deepEqual((await test.store.pull(server.reference('web:1'))).diffIds, [sha256(large)]);
    assert.ok(server.requests.some(({ headers }) => headers.range === 'bytes=500000-'));
  });

  it('never answers: given up after the time limit', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore({ registry: { retryBaseMs: 1, timeoutMs: 100, attempts: 2 } });
    server.intercept = () => true;
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_REGISTRY', message: `Registry ${server.host} cannot be asked for "${server.host}/web:1": no answer from ${server.host} for 100 ms` });
  });

  it('is not there', async () => {
    await using test = await pullingStore();
    const { host } = await (async () => {
      await using gone = await FakeRegistry.start();
      return { host: gone.host };
    })();
    await assert.rejects(test.store.pull(parseImageReference(`${host}/web:1`)), { code: 'ORCH_REGISTRY', message: new RegExp(`^Registry ${host} cannot be asked for "${host}/web:1": the connection was refused$`) });
  });

  it('has a name that nobody knows', async () => {
    await using test = await pullingStore();
    const failure = { code: 'ORCH_REGISTRY', message: 'Registry nobody.invalid:5000 cannot be asked for "nobody.invalid:5000/web:1": its name cannot be resolved', hint: 'Check the name, and the name servers of this node' };
    await assert.rejects(test.store.pull(parseImageReference('nobody.invalid:5000/web:1')), failure);
  });

  it('sends a layer that is not what its digest says: once may happen, twice is an error', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const [digest = ''] = server.push('web:1', { layers: [large] }).layerDigests;
    const wrong = Buffer.from(server.blobs.get(digest) ?? '');
    wrong[wrong.length - 1] = 1 + (wrong.at(-1) ?? 0);
    let times = 1;
    server.intercept = ({ path }, response) => {
      if (!path.endsWith(digest) || times-- <= 0) return false;
      response.writeHead(200, { 'content-length': wrong.length }).end(wrong);
      return true;
    };
    await test.store.pull(server.reference('web:1'));
    await test.store.remove(`${server.host}/web:1`, { force: false });
    times = 100;
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_CORRUPT', message: `The registry sent content with the digest ${sha256(wrong)} as blob ${digest} of "${server.host}/web:1"` });
    assert.equal(times, 98);
    await assertEmpty(test);
  });

  it('sends more than the manifest says', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const [digest = ''] = server.push('web:1', { layers: [base] }).layerDigests;
    server.intercept = ({ path }, response) => {
      if (!path.endsWith(digest)) return false;
      response.writeHead(200).end(randomBytes(100_000));
      return true;
    };
    await assert.rejects(test.store.pull(server.reference('web:1')), { code: 'ORCH_CORRUPT', message: /^The registry sent more than the \d+ bytes of blob sha256:/ });
    await assertEmpty(test);
  });

  it('has layers that do not unpack to what the configuration says', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const pushed = server.push('web:1', { layers: [base] });
    const manifest: { config: object; layers: object[] } = JSON.parse(pushed.manifest);
    const other = server.push('other:1', { layers: [top] });
    const { layers }: { layers: object[] } = JSON.parse(other.manifest);
    server.putManifest('web:2', pushed.mediaType, JSON.stringify({ ...manifest, layers }));
    await assert.rejects(test.store.pull(server.reference('web:2')), { code: 'ORCH_CORRUPT', message: new RegExp(`^Layer [a-f0-9]{12} of "${server.host}/web:2" cannot be unpacked: The unpacked content has the digest ${sha256(top)}, but the image configuration says ${sha256(base)}$`) });
    server.putManifest('web:3', pushed.mediaType, JSON.stringify({ ...manifest, layers: [...manifest.layers, ...layers] }));
    await assert.rejects(test.store.pull(server.reference('web:3')), { code: 'ORCH_CORRUPT', message: `The manifest of "${server.host}/web:3" has 2 layers, but its configuration names 1` });
    await assertEmpty(test);
  });

  it('sends another manifest than the digest asked for', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const pushed = server.push('web:1', { layers: [base] });
    server.intercept = ({ path }, response) => {
      if (!path.includes('/manifests/')) return false;
      response.writeHead(200, { 'content-type': pushed.mediaType }).end(`${pushed.manifest} `);
      return true;
    };
    await assert.rejects(test.store.pull(server.reference(`web@${pushed.manifestDigest}`)), { code: 'ORCH_CORRUPT', message: /sent a manifest of ".*" with the digest sha256:.* instead of sha256:/ });
  });

  it('has something that is no image', async () => {
    await using server = await FakeRegistry.start();
    await using test = await pullingStore();
    const pushed = server.push('web:1', { layers: [base] });
    const manifest: { config: object } = JSON.parse(pushed.manifest);
    server.putManifest('chart:1', pushed.mediaType, JSON.stringify({ ...manifest, config: { ...manifest.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } }));
    server.putManifest('old:1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', JSON.stringify({ schemaVersion: 1, name: 'old', fsLayers: [] }));
    server.putManifest('odd:1', 'text/html', '<html>');
    await assert.rejects(test.store.pull(server.reference('chart:1')), { code: 'ORCH_UNSUPPORTED', message: `The manifest of "${server.host}/chart:1" is not a container image but "application/vnd.cncf.helm.config.v1+json"` });
    await assert.rejects(test.store.pull(server.reference('old:1')), { code: 'ORCH_UNSUPPORTED', message: `The manifest of "${server.host}/old:1" is in Docker's old schema 1 format` });
    await assert.rejects(test.store.pull(server.reference('odd:1')), { code: 'ORCH_CORRUPT', message: `The manifest of "${server.host}/odd:1" is not valid JSON` });
  });
});
