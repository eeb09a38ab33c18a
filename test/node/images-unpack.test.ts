import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import koffi from 'koffi';
import { before, describe, it } from 'mocha';
import { dockerArchive, inPieces, tar, testStore } from '../../runtime/images/testing.ts';
import type { TestEntry, TestStore } from '../../runtime/images/testing.ts';
import { FakeRegistry } from './images-fake-registry.ts';

const run = promisify(execFile);
const getxattr: (...args: readonly (string | number | Buffer)[]) => number = koffi.load(null).func('long lgetxattr(const char *path, const char *name, void *value, size_t size)');

function attribute(path: string, name: string): Buffer | undefined {
  const value = Buffer.alloc(256);
  const length = getxattr(path, name, value, value.length);
  return length < 0 ? undefined : value.subarray(0, length);
}

function needsRoot(this: Mocha.Context): void {
  if (process.getuid?.() === 0) return;
  console.log('    skipped: needs root');
  this.skip();
}

async function layersOf(store: TestStore['store'], layers: readonly (readonly TestEntry[])[]): Promise<readonly string[]> {
  const [image] = await store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: await Promise.all(layers.map((entries) => tar(entries))) }]), 50_000));
  return (await store.acquireLayers(image?.id ?? '', 'test')).lowerDirs;
}

describe('unpacking as root', () => {
  before(needsRoot);

  it('makes device nodes, owners, setuid bits and file capabilities', async () => {
    await using test = await testStore();
    // Version 2, CAP_NET_RAW effective and permitted; bytes that are no UTF-8 included.
    const capability = Buffer.from('0100000200200000000000000000000000000080', 'hex');
    const [lower = ''] = await layersOf(test.store, [[
      { name: 'null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 }, { name: 'disk', type: 'block-device', devmajor: 259, devminor: 4660, mode: 0o660, gid: 6 },
      { name: 'su', content: 'x', mode: 0o4755, uid: 0 }, { name: 'mail', content: 'x', mode: 0o2755, uid: 1000, gid: 12 }, { name: 'spool/', type: 'directory', mode: 0o1777, uid: 65_534, gid: 65_534 },
      { name: 'link', type: 'symlink', linkname: 'nowhere', uid: 7, gid: 8 },
    ]]);
    assert.deepEqual([lstatSync(join(lower, 'null')).rdev, lstatSync(join(lower, 'null')).isCharacterDevice()], [(1 << 8) | 3, true]);
    assert.equal(execFileSync('stat', ['-c', '%F %t %T %a %g', join(lower, 'disk')]).toString().trim(), 'block special file 103 1234 660 6');
    const facts = (name: string): unknown[] => {
      const { mode, uid, gid } = lstatSync(join(lower, name));
      return [(mode & 0o7777).toString(8), uid, gid];
    };
    assert.deepEqual(facts('su'), ['4755', 0, 0]);
    assert.deepEqual(facts('mail'), ['2755', 1000, 12]);
    assert.deepEqual(facts('spool'), ['1777', 65_534, 65_534]);
    assert.deepEqual(facts('link').slice(1), [7, 8]);
    const image = await test.store.importRoot(inPieces(withCapability(await tar([{ name: 'ping', content: 'x', mode: 0o755, uid: 3, pax: { 'SCHILY.xattr.security.capability': 'V'.repeat(20), 'SCHILY.xattr.user.note': 'hello' } }]), capability)), {});
    const { lowerDirs: [imported = ''] } = await test.store.acquireLayers(image.id, 'test');
    assert.deepEqual(attribute(join(imported, 'ping'), 'security.capability'), capability);
    assert.equal(attribute(join(imported, 'ping'), 'user.note')?.toString(), 'hello');
  });

  it('leaves out attributes that would steer overlayfs or belong to another host', async () => {
    const warnings: object[] = [];
    const log = { debug() { /* not looked at */ }, info() { /* not looked at */ }, error() { /* not looked at */ }, warn: (fields: object) => { warnings.push(fields); }, child: () => log };
    await using test = await testStore({ log });
    const names = ['trusted.overlay.redirect', 'trusted.overlay.opaque', 'user.overlay.redirect', 'security.selinux'];
    const [lower = ''] = await layersOf(test.store, [[{ name: 'd', type: 'directory', pax: Object.fromEntries(names.map((name) => [`SCHILY.xattr.${name}`, '/etc'])) }]]);
    for (const name of names) assert.equal(attribute(join(lower, 'd'), name), undefined, name);
    assert.deepEqual(warnings.map((fields) => 'attributes' in fields && fields.attributes), [names]);
  });

  it('turns whiteouts into those of overlayfs, which then hides what lower layers have', async () => {
    await using test = await testStore();
    const lowerDirs = await layersOf(test.store, [
      [{ name: 'gone' }, { name: 'stays' }, { name: 'tree/a' }, { name: 'tree/sub/b' }, { name: 'opaque/old' }, { name: 'replaced/old' }, { name: 'swapped/old' }, { name: 'both/old' }],
      [
        { name: '.wh.gone' }, { name: 'tree/.wh.sub' }, { name: 'opaque/', type: 'directory' }, { name: 'opaque/.wh..wh..opq' }, { name: 'opaque/new' },
        { name: '.wh.replaced' }, { name: 'replaced/new' }, { name: 'swapped/new' }, { name: '.wh.swapped' }, { name: '.wh..wh.plnk' }, { name: '.wh.both' }, { name: 'both', content: 'a file now' },
      ],
    ]);
    const [upper = ''] = lowerDirs;
    assert.ok(lstatSync(join(upper, 'gone')).isCharacterDevice() && lstatSync(join(upper, 'gone')).rdev === 0);
    assert.equal(attribute(join(upper, 'opaque'), 'trusted.overlay.opaque')?.toString(), 'y');
    const merged = join(test.dataDir, 'merged');
    await mkdir(merged);
    const { stdout } = await run('unshare', ['-m', 'sh', '-c', `mount -t overlay overlay -o lowerdir=${lowerDirs.join(':')} ${merged} && cd ${merged} && find . -type f | sort`]);
    assert.deepEqual(stdout.trim().split('\n'), ['./both', './opaque/new', './replaced/new', './stays', './swapped/new', './tree/a']);
  });

  it('shows nothing below a layer whose root is opaque', async () => {
    await using test = await testStore();
    assert.equal((await layersOf(test.store, [[{ name: 'old' }], [{ name: '.wh..wh..opq' }, { name: 'new' }], [{ name: 'newer' }]])).length, 2);
  });

  it('uses a layer once that an image has twice, and an empty directory for an image without layers', async () => {
    await using test = await testStore();
    const layer = await tar([{ name: 'a' }]);
    const other = await tar([{ name: 'b' }]);
    const [twice, none] = await test.store.load(inPieces(await dockerArchive([{ tags: ['twice:1'], layers: [layer, other, layer] }, { tags: ['none:1'], layers: [] }])));
    const { lowerDirs } = await test.store.acquireLayers(twice?.id ?? '', 'c');
    assert.deepEqual(await Promise.all(lowerDirs.map((directory) => readdir(directory))), [['a'], ['b']]);
    const { lowerDirs: [empty = ''] } = await test.store.acquireLayers(none?.id ?? '', 'c');
    assert.deepEqual(await readdir(empty), []);
  });

  it('keeps layers from everybody but root', async () => {
    await using test = await testStore();
    assert.equal((await stat(test.dataDir)).mode & 0o777, 0o700);
  });
});

const zeros = await tar([{ name: 'first', content: 'x' }, { name: 'zeros', content: Buffer.alloc(20_000_000) }]);
const noise = await tar([{ name: 'noise', content: randomBytes(10_000_000) }]);
const small = await tar([{ name: 'small', content: 'x' }]);

describe('a full disk', () => {
  before(needsRoot);

  async function onSmallDisk(body: (test: TestStore, freeBytes: () => Promise<number>) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'orch-full-'));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', directory]);
    try {
      await using test = await testStore({ dataDir: join(directory, 'images'), registry: { retryBaseMs: 1 } });
      await body(test, async () => {
        const { bavail, bsize } = await statfs(directory);
        return bavail * bsize;
      });
    } finally {
      await run('umount', [directory]);
      await rm(directory, { recursive: true });
    }
  }

  const attempts: Readonly<Record<string, (store: TestStore['store'], server: FakeRegistry) => Promise<unknown>>> = {
    'while a layer is unpacked': (store) => store.importRoot(inPieces(gzipSync(zeros), 50_000), {}),
    'while an archive is loaded': async (store) => store.load(inPieces(await dockerArchive([{ layers: [small, noise] }]), 50_000)),
    'while a layer is downloaded': (store, server) => store.pull(server.reference('noise:1')),
    'while a layer of a pull is unpacked': (store, server) => store.pull(server.reference('zeros:1')),
  };
  it('does not keep images from being removed', async () => {
    await onSmallDisk(async ({ store, dataDir }, freeBytes) => {
      await store.load(inPieces(await dockerArchive([{ tags: ['web:1'], layers: [small] }])));
      for (let size = 4_000_000; size >= 512; size = size / 2) await fillDisk(dataDir, size);
      assert.equal(await freeBytes(), 0);
      await store.remove('web:1', { force: false });
      assert.deepEqual(store.list(), []);
      assert.ok(await freeBytes() > 0);
    });
  });

  for (const [moment, attempt] of Object.entries(attempts)) {
    it(`${moment} is said, and its space given back`, async () => {
      await using server = await FakeRegistry.start();
      server.push('noise:1', { layers: [small, noise] });
      server.push('zeros:1', { layers: [small, zeros] });
      await onSmallDisk(async ({ store, dataDir }, freeBytes) => {
        const before = await freeBytes();
        await assert.rejects(attempt(store, server), { code: 'ORCH_NO_SPACE', message: /[Tt]he disk is full$/ });
        assert.deepEqual(store.list(), []);
        for (const directory of ['l', 'blobs/sha256', 'tmp']) assert.deepEqual(await readdir(join(dataDir, directory)), [], directory);
        assert.ok(await freeBytes() >= before - 64 * 1024, 'the space is not given back');
        assert.equal((await store.load(inPieces(await dockerArchive([{ layers: [small] }])))).length, 1);
      });
    });
  }
});

/** Puts a binary value in place of the twenty letters V: tar-stream writes attributes as UTF-8. */
function withCapability(archive: Buffer, value: Buffer): Buffer {
  const changed = Buffer.from(archive);
  value.copy(changed, changed.indexOf('V'.repeat(20)));
  return changed;
}

/** Takes all room on the disk of `directory` in pieces of `size` bytes. */
async function fillDisk(directory: string, size: number): Promise<void> {
  for (let index = 0; ; index += 1) {
    try {
      await writeFile(join(directory, `fill-${size}-${index}`), Buffer.alloc(Math.ceil(size)));
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC');
      return;
    }
  }
}
