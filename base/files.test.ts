import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { isErrno, readTextIfExists, writeFileAtomic } from './files.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'orch-files-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('writeFileAtomic', () => {
  it('makes the file and the directories to it, for its owner only unless told otherwise', () => inFolder(async (folder) => {
    const path = join(folder, 'a/b/file');
    await writeFileAtomic(path, 'first');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await writeFileAtomic(path, Buffer.from('second'), 0o644);
    assert.deepEqual([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777], ['second', 0o644]);
    assert.deepEqual(await readdir(join(folder, 'a/b')), ['file'], 'nothing beside it');
  }));

  it('never shows a reader a part of either content', () => inFolder(async (folder) => {
    const path = join(folder, 'file');
    const contents = ['a'.repeat(100_000), 'b'.repeat(50_000)];
    await writeFileAtomic(path, contents[0] ?? '');
    const abort = new AbortController();
    const reads = (async () => { while (!abort.signal.aborted) assert.ok(contents.includes(await readFile(path, 'utf8')), 'a torn file'); })();
    for (let round = 0; round < 20; round += 1) await writeFileAtomic(path, contents[round % 2] ?? '');
    abort.abort();
    await reads;
  }));

  it('writes over what a crash left of the write before, and replaces a link rather than what it leads to', () => inFolder(async (folder) => {
    await writeFile(join(folder, 'file.tmp'), 'half');
    await writeFile(join(folder, 'elsewhere'), 'untouched');
    await symlink('elsewhere', join(folder, 'file'));
    await writeFileAtomic(join(folder, 'file'), 'whole');
    assert.deepEqual((await readdir(folder)).toSorted(), ['elsewhere', 'file']);
    assert.deepEqual([await readFile(join(folder, 'file'), 'utf8'), await readFile(join(folder, 'elsewhere'), 'utf8')], ['whole', 'untouched']);
  }));

  it('fails where the file cannot be, and leaves the rest as it was', () => inFolder(async (folder) => {
    await mkdir(join(folder, 'taken/inside'), { recursive: true });
    await assert.rejects(writeFileAtomic(join(folder, 'taken'), 'x'), (error) => isErrno(error, 'EISDIR'));
    assert.deepEqual(await readdir(folder), ['taken']);
  }));
});

describe('readTextIfExists', () => {
  it('tells a file that does not exist from one that cannot be read', () => inFolder(async (folder) => {
    await writeFile(join(folder, 'file'), 'text');
    assert.equal(await readTextIfExists(join(folder, 'file')), 'text');
    assert.equal(await readTextIfExists(join(folder, 'none')), undefined);
    await assert.rejects(readTextIfExists(folder), (error) => isErrno(error, 'EISDIR'));
  }));
});
