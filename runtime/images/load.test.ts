import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, it } from 'mocha';
import type { PullProgress } from '../../model/image-pull.ts';
import { dockerArchive, imageConfig, inPieces, sha256, tar, testStore } from './testing.ts';
import type { TestEntry, TestImage, TestStore } from './testing.ts';

const base = await tar([{ name: 'etc/', type: 'directory' }, { name: 'etc/name', content: 'base' }]);
const top = await tar([{ name: 'etc/name', content: 'top' }]);
const blob = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;

type Layout = { readonly entries: TestEntry[]; readonly descriptor: object; readonly configDigest: string; readonly layerDigests: readonly string[] };

/** The blobs of an image in an OCI layout, and the descriptor of its manifest. */
function layoutOf(image: TestImage, descriptorExtra: object = {}): Layout {
  const entries: TestEntry[] = [];
  const put = (mediaType: string, content: Buffer): { digest: string; mediaType: string; size: number } => {
    entries.push({ name: blob(sha256(content)), content });
    return { mediaType, size: content.length, digest: sha256(content) };
  };
  const layers = image.layers.map((layer) => put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(layer)));
  const config = put('application/vnd.oci.image.config.v1+json', Buffer.from(imageConfig(image)));
  const manifest = put('application/vnd.oci.image.manifest.v1+json', Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers })));
  return { entries, descriptor: { ...manifest, ...descriptorExtra }, configDigest: config.digest, layerDigests: layers.map(({ digest }) => digest) };
}

const named = (name: string): object => ({ annotations: { 'io.containerd.image.name': name } });
const withIndex = (layouts: readonly Layout[], extra: readonly TestEntry[] = []): TestEntry[] => [
  { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' }, ...layouts.flatMap(({ entries }) => entries),
  { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests: layouts.map(({ descriptor }) => descriptor) }) }, ...extra,
];

async function assertNothing({ store, dataDir }: TestStore): Promise<void> {
  assert.deepEqual(store.list(), []);
  for (const directory of ['l', 'blobs/sha256', 'tmp']) assert.deepEqual(await readdir(join(dataDir, directory)), [], directory);
}

describe('loading an OCI layout', () => {
  for (const [compression, compress] of [['tar', (bytes: Buffer) => bytes], ['tar.gz', gzipSync], ['tar.zst', zstdCompressSync]] as const) {
    it(`reads it from a ${compression} archive, with the name that the index gives`, async () => {
      await using test = await testStore();
      const image = layoutOf({ layers: [base, top] }, named('docker.io/library/web:1'));
      const [loaded] = await test.store.load(inPieces(compress(await tar(withIndex([image])))));
      assert.deepEqual([loaded?.id, loaded?.tags, loaded?.diffIds], [image.configDigest, ['web:1'], [sha256(base), sha256(top)]]);
      assert.deepEqual(await readdir(join(test.dataDir, 'tmp')), []);
    });
  }

  it('reads it from a directory, which it leaves as it is', async () => {
    await using test = await testStore();
    const directory = await mkdtemp(join(tmpdir(), 'orch-layout-'));
    for (const { name, content = '' } of withIndex([layoutOf({ layers: [base] }, { annotations: { 'org.opencontainers.image.ref.name': 'registry.local/web:2' } })])) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), content);
    }
    const before = await readdir(directory, { recursive: true });
    const [loaded] = await test.store.loadLayout(directory);
    assert.deepEqual(loaded?.tags, ['registry.local/web:2']);
    assert.deepEqual(await readdir(directory, { recursive: true }), before);
    await writeFile(join(directory, blob(loaded?.id ?? '')), '{}');
    await using other = await testStore();
    await assert.rejects(other.store.loadLayout(directory), { code: 'ORCH_CORRUPT', message: new RegExp(`^The blob ${loaded?.id} of registry.local/web:2 in the OCI layout has the digest sha256:`) });
    await assertNothing(other);
    await rm(directory, { recursive: true });
    await assert.rejects(other.store.loadLayout(directory), { code: 'ORCH_CORRUPT', message: 'The OCI layout has no index.json' });
  });

});

describe('naming and choosing images of an OCI layout', () => {
  it('leaves an image untagged whose annotation is a tag alone', async () => {
    await using test = await testStore();
    const [loaded] = await test.store.load(inPieces(await tar(withIndex([layoutOf({ layers: [base] }, { annotations: { 'org.opencontainers.image.ref.name': '1.0' } })]))));
    assert.deepEqual(loaded?.tags, []);
  });

  it('takes of each name the image for this platform, through nested indexes', async () => {
    await using test = await testStore({ platform: { os: 'linux', arch: 'arm64' } });
    const forArch = (architecture: string, extra: object): Layout => layoutOf({ layers: [base], config: { Labels: { architecture } }, platform: { os: 'linux', architecture } }, { ...extra, platform: { os: 'linux', architecture } });
    const inner = [forArch('amd64', {}), forArch('arm64', {})];
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: inner.map(({ descriptor }) => descriptor) }));
    const nested: Layout = { entries: [...inner.flatMap(({ entries }) => entries), { name: blob(sha256(index)), content: index }], configDigest: '', layerDigests: [], descriptor: { mediaType: 'application/vnd.oci.image.index.v1+json', digest: sha256(index), size: index.length, ...named('nested:1') } };
    const images = await test.store.load(inPieces(await tar(withIndex([nested, forArch('amd64', named('flat:1')), forArch('arm64', named('flat:1'))]))));
    assert.deepEqual(images.map(({ config }) => config.labels['architecture']), ['arm64']);
    assert.deepEqual(test.store.list().map(({ tags }) => tags), [['flat:1', 'nested:1']]);
  });

  it('prefers the Docker names of an archive that is both', async () => {
    await using test = await testStore();
    const image = layoutOf({ layers: [base] }, { annotations: { 'org.opencontainers.image.ref.name': '1' } });
    const manifest = { name: 'manifest.json', content: JSON.stringify([{ Config: blob(image.configDigest), RepoTags: ['web:1', 'web:latest'], Layers: image.layerDigests.map(blob) }]) };
    const [loaded] = await test.store.load(inPieces(await tar(withIndex([image], [manifest]))));
    assert.deepEqual([loaded?.id, loaded?.tags], [image.configDigest, ['web:1', 'web:latest']]);
  });
});

describe('loading a docker save archive', () => {
  it('reads several images that share layers, one by a link, and says how far it is', async () => {
    await using test = await testStore();
    const images = [{ tags: ['a:1'], layers: [base] }, { tags: ['b:1'], layers: [base, top] }];
    const config = imageConfig({ layers: [base] });
    const progress: PullProgress[] = [];
    await test.store.load(inPieces(await dockerArchive(images)), (step) => progress.push(step));
    assert.equal((await readdir(join(test.dataDir, 'l'))).length, 2);
    assert.ok(progress.some(({ layer, status }) => layer === sha256(top).slice(7, 19) && status === 'Loading layer'));
    const linked = await tar([
      { name: 'x.json', content: config }, { name: 'one/layer.tar', content: base }, { name: 'two/layer.tar', type: 'symlink', linkname: '../one/layer.tar' },
      { name: 'manifest.json', content: JSON.stringify([{ Config: 'x.json', RepoTags: ['c:1'], Layers: ['two/layer.tar'] }]) },
    ]);
    const [loaded] = await test.store.load(inPieces(linked));
    assert.deepEqual(loaded?.tags, ['a:1', 'c:1'], 'the same image under another name');
  });

  it('moves a tag, and keeps the image that had it', async () => {
    await using test = await testStore();
    const [first] = await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [base] }])));
    const [second] = await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [top] }])));
    assert.equal(test.store.find('web:1')?.id, second?.id);
    assert.deepEqual(test.store.find(first?.id ?? '')?.tags, []);
  });

  it('writes a manifest of its own, by which others can fetch the image', async () => {
    await using test = await testStore();
    await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [base] }])));
    const state: { images: Record<string, { manifest: string; blobs: string[] }> } = JSON.parse(await readFile(join(test.dataDir, 'state.json'), 'utf8'));
    const [stored] = Object.values(state.images);
    assert.deepEqual((await readdir(join(test.dataDir, 'blobs/sha256'))).sort(), stored?.blobs.map((digest) => digest.slice(7)).sort());
  });

});

describe('loading a bad archive', () => {
  const archives: Readonly<Record<string, readonly [entries: () => Promise<readonly TestEntry[]>, code: string, message: RegExp]>> = {
    'that is something else': [() => Promise.resolve([{ name: 'bin/sh', content: 'x' }]), 'ORCH_CORRUPT', /^The archive is no image: it has neither manifest.json nor index.json$/],
    'without a layer it names': [() => Promise.resolve([{ name: 'x.json', content: imageConfig({ layers: [base] }) }, { name: 'manifest.json', content: JSON.stringify([{ Config: 'x.json', Layers: ['gone/layer.tar'] }]) }]), 'ORCH_CORRUPT', /^The image archive has no "gone\/layer.tar"$/],
    'with a layer that is not that of its configuration': [() => Promise.resolve([{ name: 'x.json', content: imageConfig({ layers: [base] }) }, { name: 'l', content: top }, { name: 'manifest.json', content: JSON.stringify([{ Config: 'x.json', RepoTags: ['web:1'], Layers: ['l'] }]) }]), 'ORCH_CORRUPT', /^Layer [a-f0-9]{12} of web:1 cannot be unpacked: The unpacked content has the digest/],
    'with fewer layers than its configuration': [() => Promise.resolve([{ name: 'x.json', content: imageConfig({ layers: [base, top] }) }, { name: 'l', content: base }, { name: 'manifest.json', content: JSON.stringify([{ Config: 'x.json', RepoTags: ['web:1'], Layers: ['l'] }]) }]), 'ORCH_CORRUPT', /^web:1 has 1 layers, but its configuration names 2$/],
    'with a configuration of another name': [() => Promise.resolve([{ name: `${'0'.repeat(64)}.json`, content: '{}' }, { name: 'manifest.json', content: JSON.stringify([{ Config: `${'0'.repeat(64)}.json`, Layers: [] }]) }]), 'ORCH_CORRUPT', /^The image archive's "0{64}.json" has the digest sha256:/],
    'with a broken manifest': [() => Promise.resolve([{ name: 'manifest.json', content: '[{' }]), 'ORCH_CORRUPT', /manifest.json that is not valid JSON$/],
    'with a name that is none': [() => Promise.resolve([{ name: 'x', content: '{}' }, { name: 'manifest.json', content: JSON.stringify([{ Config: 'x', RepoTags: ['No Name'], Layers: [] }]) }]), 'ORCH_INVALID', /^"No Name" is not a valid image reference/],
    'whose second image is hostile': [async () => {
      const hostile = await tar([{ name: '../x', content: 'x' }]);
      return [{ name: 'a', content: imageConfig({ layers: [base] }) }, { name: 'b', content: imageConfig({ layers: [hostile] }) }, { name: 'la', content: base }, { name: 'lb', content: hostile }, { name: 'manifest.json', content: JSON.stringify([{ Config: 'a', RepoTags: ['a:1'], Layers: ['la'] }, { Config: 'b', RepoTags: ['b:1'], Layers: ['lb'] }]) }];
    }, 'ORCH_CORRUPT', /^Layer [a-f0-9]{12} of b:1 cannot be unpacked: The entry "\.\.\/x" leads out of the layer$/],
  };
  for (const [title, [entries, code, message]] of Object.entries(archives)) {
    it(`refuses one ${title}, leaving nothing`, async () => {
      await using test = await testStore();
      await assert.rejects(test.store.load(inPieces(await tar(await entries()))), { code, message });
      await assertNothing(test);
    });
  }

});

describe('loading an archive that breaks off', () => {
  it('refuses one that stops early, leaving nothing', async () => {
    await using test = await testStore();
    const archive = await dockerArchive([{ tags: ['web:1'], layers: [base, top] }]);
    const packed = gzipSync(archive);
    for (const part of [archive.subarray(0, archive.length / 2), packed.subarray(0, packed.length - 100), archive.subarray(0, 0), Buffer.from('not a tar archive')]) {
      await assert.rejects(test.store.load(inPieces(part)), { code: 'ORCH_CORRUPT' });
      await assertNothing(test);
    }
  });

  it('passes on what the sender of the archive meets, leaving nothing', async () => {
    await using test = await testStore();
    const archive = await dockerArchive([{ tags: ['web:1'], layers: [base] }]);
    for (const compressed of [archive, gzipSync(archive)]) {
      async function* broken(): AsyncGenerator<Buffer> {
        yield* inPieces(compressed.subarray(0, 300), 100);
        throw new Error('the client is gone');
      }
      await assert.rejects(test.store.load(broken()), { message: 'the client is gone' });
      await assert.rejects(test.store.importRoot(broken(), {}), { message: 'the client is gone' });
      await assertNothing(test);
    }
  });

  it('does not wait for the rest of what it has refused', async () => {
    await using test = await testStore();
    const hold = Promise.withResolvers<void>();
    async function* stalled(): AsyncGenerator<Buffer> {
      yield Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(2000, 0xff)]);
      await hold.promise;
    }
    await assert.rejects(test.store.load(stalled()), { code: 'ORCH_CORRUPT', message: /^The gzip data is damaged/ });
    hold.resolve();
    await assertNothing(test);
  });
});
