import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, it } from 'mocha';
import { parseImageReference } from '../../model/image-reference.ts';
import { dockerArchive, imageConfig, inPieces, sha256, tar, testStore } from './testing.ts';

const baseLayer = await tar([{ name: 'etc/', type: 'directory', mode: 0o755 }, { name: 'etc/name', content: 'base' }, { name: 'bin/', type: 'directory' }]);
const topLayer = await tar([{ name: 'etc/name', content: 'top' }]);

describe('image store', () => {
  it('loads a docker save archive and hands out its layers, top first', async () => {
    await using test = await testStore();
    const image = { tags: ['web:1', 'registry.local:5000/team/web:latest'], layers: [baseLayer, topLayer], config: { Cmd: ['sh'], Env: ['A=1'] } };
    const [loaded] = await test.store.load(inPieces(await dockerArchive([image])));
    assert.equal(loaded?.id, sha256(imageConfig(image)));
    assert.deepEqual(loaded.tags, ['registry.local:5000/team/web:latest', 'web:1']);
    assert.deepEqual(loaded.config.cmd, ['sh']);
    assert.equal(loaded.sizeBytes, 'base'.length + 'top'.length);
    const { lowerDirs } = await test.store.acquireLayers(loaded.id, 'container1');
    assert.equal(lowerDirs.length, 2);
    assert.equal(await readFile(join(lowerDirs[0] ?? '', 'etc/name'), 'utf8'), 'top');
    assert.equal(await readFile(join(lowerDirs[1] ?? '', 'etc/name'), 'utf8'), 'base');
  });

  for (const [name, compress] of [['plain', (bytes: Buffer) => bytes], ['gzip', gzipSync], ['zstd', zstdCompressSync]] as const) {
    it(`imports a ${name} root file system with changes`, async () => {
      await using test = await testStore();
      const image = await test.store.importRoot(inPieces(compress(baseLayer)), { tag: parseImageReference('base'), changes: ['CMD ["sh"]', 'ENV A=1'] });
      assert.deepEqual(image.tags, ['base:latest']);
      assert.deepEqual(image.config.cmd, ['sh']);
      assert.deepEqual(image.diffIds, [sha256(baseLayer)]);
      const { lowerDirs: [lower = ''] } = await test.store.acquireLayers(image.id, 'c');
      assert.equal(await readFile(join(lower, 'etc/name'), 'utf8'), 'base');
    });
  }

  it('knows its images, names and leases again after it was closed', async () => {
    await using test = await testStore();
    const [image] = await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [baseLayer] }])));
    await test.store.acquireLayers(image?.id ?? '', 'c1');
    const reopened = await test.reopen();
    assert.deepEqual(reopened.list(), [image]);
    assert.deepEqual(reopened.find('web:1'), image);
    await assert.rejects(reopened.remove('web:1', { force: false }), { code: 'ORCH_IN_USE' });
    await reopened.releaseLayers('c1');
    assert.deepEqual((await reopened.remove('web:1', { force: false })).deleted, [image?.id, ...image?.diffIds ?? []]);
    for (const directory of ['l', 'blobs/sha256', 'tmp', 'leases']) assert.deepEqual(await readdir(join(test.dataDir, directory)), [], directory);
  });
});
