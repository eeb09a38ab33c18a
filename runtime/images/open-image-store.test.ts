import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, it } from 'mocha';
import { silentLog } from '../../base/log.ts';
import type { Log } from '../../base/log.ts';
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

describe('an image store that was damaged from outside', () => {
  const collectErrors = (): { log: Log; reasons: string[] } => {
    const reasons: string[] = [];
    const log: Log = { ...silentLog, error: (fields) => { reasons.push('reason' in fields ? String(fields.reason) : ''); } };
    return { log, reasons };
  };

  it('leaves out images that have lost their configuration or a layer, and takes them again', async () => {
    const { log, reasons } = collectErrors();
    await using test = await testStore({ log });
    const archive = await dockerArchive([{ tags: ['good:1'], layers: [baseLayer] }, { tags: ['bad:1'], layers: [baseLayer], config: { User: 'x' } }, { tags: ['lost:1'], layers: [baseLayer, topLayer] }]);
    const [good, bad, lost] = await test.store.load(inPieces(archive));
    await writeFile(join(test.dataDir, 'blobs/sha256', bad?.id.slice('sha256:'.length) ?? ''), '{}');
    const { lowerDirs: [top = ''] } = await test.store.acquireLayers(lost?.id ?? '', 'c');
    await rm(top, { recursive: true });
    const reopened = await test.reopen();
    assert.deepEqual(reopened.list(), [good]);
    assert.deepEqual(reasons.sort(), [`Image ${lost?.id} has lost its layer ${sha256(topLayer)}`, `The blob ${bad?.id} in the image store is damaged`]);
    assert.equal(reopened.find('bad:1'), undefined);
    assert.deepEqual((await reopened.load(inPieces(archive))).map(({ id }) => id), [good?.id, bad?.id, lost?.id]);
    assert.equal((await test.reopen()).list().length, 3);
  });

  it('does not open when its record is unreadable or of another version', async () => {
    await using test = await testStore();
    for (const [text, message] of [['{', / is not valid JSON$/], ['{"format":2}', / has the format 2, this version reads 1$/]] as const) {
      await writeFile(join(test.dataDir, 'state.json'), text);
      await assert.rejects(test.reopen(), { code: 'ORCH_CORRUPT', message });
    }
  });
});

describe('images in use', () => {
  it('keep their layers while an image is removed by force, until the last user is gone', async () => {
    await using test = await testStore();
    const [{ id } = { id: '' }] = await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [baseLayer] }])));
    const { lowerDirs: [lower = ''] } = await test.store.acquireLayers(id, 'user with ~ and / in it');
    await test.store.acquireLayers(id, 'other');
    assert.deepEqual(await test.store.remove('web:1', { force: true }), { untagged: ['web:1'], deleted: [] });
    const reopened = await test.reopen();
    await reopened.releaseLayers('other');
    await reopened.releaseLayers('never was one');
    await assert.rejects(reopened.remove(id, { force: true }), { code: 'ORCH_IN_USE' });
    assert.equal(await readFile(join(lower, 'etc/name'), 'utf8'), 'base');
    await reopened.releaseLayers('user with ~ and / in it');
    assert.equal((await reopened.remove(id, { force: false })).deleted[0], id);
    await assert.rejects(reopened.acquireLayers(id, 'late'), { code: 'ORCH_NOT_FOUND' });
  });

  it('are not lost to a removal that is under way', async () => {
    await using test = await testStore();
    const [image] = await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [baseLayer] }])));
    const removal = test.store.remove('web:1', { force: false });
    const acquired = await Promise.allSettled([test.store.acquireLayers(image?.id ?? '', 'c'), removal]);
    assert.deepEqual(acquired.filter(({ status }) => status === 'fulfilled').length, 1, 'either the container or the removal');
  });

  it('come and go at the same time without losing shared layers', async () => {
    await using test = await testStore();
    const archive = (tag: string): Promise<Buffer> => dockerArchive([{ tags: [tag], layers: [baseLayer, topLayer], config: { User: tag } }]);
    await Promise.all(['a:1', 'b:1', 'c:1', 'd:1'].map(async (tag) => {
      for (let round = 0; round < 3; round += 1) {
        const [image] = await test.store.load(inPieces(await archive(tag)));
        const { lowerDirs: [top = ''] } = await test.store.acquireLayers(image?.id ?? '', tag);
        assert.equal(await readFile(join(top, 'etc/name'), 'utf8'), 'top');
        await test.store.releaseLayers(tag);
        await test.store.remove(tag, { force: false });
      }
    }));
    for (const directory of ['l', 'blobs/sha256', 'tmp']) assert.deepEqual(await readdir(join(test.dataDir, directory)), [], directory);
  });

  it('get tags, move them and lose them', async () => {
    await using test = await testStore();
    const [image] = await test.store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [baseLayer] }])));
    await test.store.tag('web:1', parseImageReference('registry.local:5000/web:2'));
    await assert.rejects(test.store.tag('nothing', parseImageReference('web:3')), { code: 'ORCH_NOT_FOUND', message: 'No such image: nothing' });
    await assert.rejects(test.store.tag('web:1', parseImageReference(`web@${image?.id}`)), { code: 'ORCH_INVALID' });
    assert.deepEqual((await test.reopen()).find('web:1')?.tags, ['registry.local:5000/web:2', 'web:1']);
    await assert.rejects(test.store.remove('gone', { force: true }), { code: 'ORCH_NOT_FOUND', message: 'No such image: gone' });
  });
});
