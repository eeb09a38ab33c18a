import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { sha256, tar } from './testing.ts';
import type { TestEntry } from './testing.ts';
import { UnpackSandbox } from './unpack-sandbox.ts';

async function refusal(entries: readonly TestEntry[]): Promise<string> {
  using sandbox = new UnpackSandbox();
  try {
    await sandbox.unpack(await tar(entries));
  } catch (error) {
    sandbox.assertUntouched();
    assert.ok(isOrchError(error, 'ORCH_CORRUPT'), String(error));
    return error.message;
  }
  return assert.fail('the layer was accepted');
}

describe('unpackLayer', () => {
  it('makes directories, files, links, modes and times as the archive says', async () => {
    using sandbox = new UnpackSandbox();
    const archive = await tar([
      { name: './', type: 'directory', mode: 0o711 }, { name: './usr/', type: 'directory', mode: 0o751 }, { name: './usr/bin', type: 'directory', mode: 0o755 },
      { name: './usr/bin/tool', content: 'program', mode: 0o4755 }, { name: './usr/bin/same', type: 'link', linkname: './usr/bin/tool' },
      { name: './bin', type: 'symlink', linkname: 'usr/bin' }, { name: '/abs/implied/file', content: '' }, { name: 'pipe', type: 'fifo', mode: 0o622 },
    ]);
    const result = await sandbox.unpack(gzipSync(archive), sha256(archive));
    assert.deepEqual(result, { diffId: sha256(archive), sizeBytes: 7, opaqueRoot: false, skippedAttributes: [] });
    const at = (name: string): Stats => lstatSync(join(sandbox.layer, name));
    assert.deepEqual(['', 'usr', 'usr/bin/tool', 'abs', 'abs/implied', 'pipe'].map((name) => (at(name).mode & 0o7777).toString(8)), ['711', '751', '4755', '755', '755', '622']);
    assert.equal(at('usr/bin/same').ino, at('usr/bin/tool').ino);
    assert.equal(readlinkSync(join(sandbox.layer, 'bin')), 'usr/bin');
    for (const name of ['', 'usr', 'usr/bin', 'usr/bin/tool', 'bin', 'pipe']) assert.equal(at(name).mtimeMs, 1_700_000_000_000, name);
    sandbox.assertUntouched();
  });

  it('keeps names that are not UTF-8', async () => {
    using sandbox = new UnpackSandbox();
    const archive = await tar([{ name: 'caf_' }, { name: 'd_', type: 'directory' }]);
    const latin1 = Buffer.from(archive.toString('latin1').replaceAll('caf_', 'caf\xe9').replaceAll('d_', 'd\xff'), 'latin1');
    for (const offset of [0, 512]) {
      latin1.fill(0x20, offset + 148, offset + 156);
      latin1.write(`${latin1.subarray(offset, offset + 512).reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, offset + 148);
    }
    await sandbox.unpack(latin1);
    assert.deepEqual(readdirSync(sandbox.layer, 'latin1').sort(), ['caf\xe9', 'd\xff']);
  });

  it('lets a later entry replace an earlier one of another kind', async () => {
    using sandbox = new UnpackSandbox();
    await sandbox.unpack(await tar([
      { name: 'a/', type: 'directory' }, { name: 'a/x', content: 'x' }, { name: 'a', content: 'file' },
      { name: 'b', content: 'file' }, { name: 'b/', type: 'directory' }, { name: 'b/y', content: 'y' },
      { name: 'c', type: 'symlink', linkname: '/etc' }, { name: 'c', content: 'no longer a link' },
    ]));
    assert.equal(readFileSync(join(sandbox.layer, 'a'), 'utf8'), 'file');
    assert.equal(readFileSync(join(sandbox.layer, 'b/y'), 'utf8'), 'y');
    assert.equal(readFileSync(join(sandbox.layer, 'c'), 'utf8'), 'no longer a link');
  });

  it('follows a symbolic link that stays inside, as it would in the container', async () => {
    using sandbox = new UnpackSandbox();
    await sandbox.unpack(await tar([{ name: 'usr/lib/', type: 'directory' }, { name: 'lib', type: 'symlink', linkname: 'usr/lib' }, { name: 'lib/libc.so', content: 'libc' }]));
    assert.equal(readFileSync(join(sandbox.layer, 'usr/lib/libc.so'), 'utf8'), 'libc');
  });

});

describe('unpackLayer of a damaged layer', () => {
  it('has a wrong diff id refused', async () => {
    using sandbox = new UnpackSandbox();
    await assert.rejects(sandbox.unpack(await tar([{ name: 'a' }]), sha256('other')), { code: 'ORCH_CORRUPT', message: /^The unpacked content has the digest/ });
  });

  it('refuses damaged and unsupported compression', async () => {
    using sandbox = new UnpackSandbox();
    const archive = await tar([{ name: 'a', content: 'x'.repeat(5000) }]);
    await assert.rejects(sandbox.unpack(gzipSync(archive).subarray(0, -9), sha256(archive)), { code: 'ORCH_CORRUPT', message: 'The gzip data is damaged: unexpected end of file' });
    await assert.rejects(sandbox.unpack(Buffer.from('BZh91AY&SY')), { code: 'ORCH_UNSUPPORTED', message: 'The archive is compressed with bzip2' });
    await assert.rejects(sandbox.unpack(archive.subarray(0, 1024)), { code: 'ORCH_CORRUPT', message: 'The tar archive is cut short' });
    await assert.rejects(sandbox.unpack(Buffer.alloc(0)), { code: 'ORCH_CORRUPT', message: 'The tar archive is cut short' });
  });
});

describe('a hostile layer', () => {
  const behind = (name: string): string => `The entry "${name}" lies behind a symbolic link or file that leads out of the layer`;
  const attacks: readonly (readonly [title: string, entries: readonly TestEntry[], message: string])[] = [
    ['cannot climb with ..', [{ name: '../outside/secret', content: 'pwned' }], 'The entry "../outside/secret" leads out of the layer'],
    ['cannot climb from below', [{ name: 'a/../../outside/new', content: 'pwned' }], 'The entry "a/../../outside/new" leads out of the layer'],
    ['cannot climb with an absolute name', [{ name: '/../../outside/new', content: 'pwned' }], 'The entry "/../../outside/new" leads out of the layer'],
    ['cannot write through a relative link', [{ name: 'out', type: 'symlink', linkname: '../outside' }, { name: 'out/secret', content: 'pwned' }], behind('out/secret')],
    ['cannot write through an absolute link', [{ name: 'out', type: 'symlink', linkname: '/tmp' }, { name: 'out/orch-pwned', content: 'pwned' }], behind('out/orch-pwned')],
    ['cannot write through a chain of links', [{ name: 'a', type: 'symlink', linkname: '.' }, { name: 'b', type: 'symlink', linkname: 'a/..' }, { name: 'b/outside/new', content: 'pwned' }], behind('b/outside/new')],
    ['cannot write through /proc', [{ name: 'p', type: 'symlink', linkname: '/proc/self/root' }, { name: 'p/tmp/orch-pwned', content: 'pwned' }], behind('p/tmp/orch-pwned')],
    ['cannot make a directory through a link', [{ name: 'out', type: 'symlink', linkname: '../outside' }, { name: 'out/directory/new/', type: 'directory' }], behind('out/directory/new')],
    ['cannot change a directory through a link', [{ name: 'out', type: 'symlink', linkname: '../outside' }, { name: 'out/directory/', type: 'directory', mode: 0o777 }], behind('out/directory')],
    ['cannot link to an outer file', [{ name: 'mine', type: 'link', linkname: '../outside/secret' }], 'The entry "mine" is a hard link to "../outside/secret", outside the layer'],
    ['cannot link to an outer file through a link', [{ name: 'out', type: 'symlink', linkname: '../outside' }, { name: 'mine', type: 'link', linkname: 'out/secret' }], behind('mine')],
    ['cannot link to what is not in the layer', [{ name: 'mine', type: 'link', linkname: 'etc/passwd' }], 'The entry "mine" is a hard link to "etc/passwd", which is no file of the layer'],
    ['cannot link to a directory', [{ name: 'd', type: 'directory' }, { name: 'mine', type: 'link', linkname: 'd' }], 'The entry "mine" is a hard link to "d", which is no file of the layer'],
    ['cannot go round in circles', [{ name: 'a', type: 'symlink', linkname: 'b' }, { name: 'b', type: 'symlink', linkname: 'a' }, { name: 'a/x', content: '' }], behind('a/x')],
    ['cannot write below a file', [{ name: 'a', content: '' }, { name: 'a/b', content: '' }], behind('a/b')],
    ['cannot hide its own directory', [{ name: 'a/.wh..', content: '' }], 'The entry "a/.wh.." hides no file of its directory'],
    ['cannot hide the parent', [{ name: 'a/.wh...', content: '' }], 'The entry "a/.wh..." hides no file of its directory'],
    ['cannot hide nothing', [{ name: '.wh.', content: '' }], 'The entry ".wh." hides no file of its directory'],
    ['cannot be a file itself', [{ name: '.', content: 'x' }], 'The root of the layer is no directory'],
    ['cannot cut a name short', [{ name: 'x', content: '', pax: { path: 'a\0b' } }], 'The entry "a\0b" leads out of the layer'],
    ['cannot have endless names', [{ name: 'x', content: '', pax: { path: 'n'.repeat(300) } }], `The entry "${'n'.repeat(300)}" cannot be written: openat: ENAMETOOLONG`],
  ];
  for (const [title, entries, message] of attacks) {
    it(title, async () => assert.equal(await refusal(entries), message));
  }

  it('hides nothing behind a link or a file, which hide what is below by themselves', async () => {
    using sandbox = new UnpackSandbox();
    await sandbox.unpack(await tar([
      { name: 'out', type: 'symlink', linkname: '../outside' }, { name: 'out/.wh.secret' }, { name: 'out/directory/.wh..wh..opq' }, { name: 'out/.wh..wh..opq' },
      { name: 'usr/', type: 'directory' }, { name: 'usr/tool', content: 'x' }, { name: 'bin', type: 'symlink', linkname: 'usr' }, { name: 'bin/.wh.tool' }, { name: 'bin/.wh..wh..opq' },
      { name: 'etc', content: 'x' }, { name: 'etc/.wh.passwd' }, { name: 'etc/deep/.wh.passwd' },
    ]));
    sandbox.assertUntouched();
    assert.deepEqual([readdirSync(sandbox.layer).length, readdirSync(join(sandbox.layer, 'usr'))], [4, ['tool']]);
  });

  it('follows no link when it sets owner, mode and time', async () => {
    using sandbox = new UnpackSandbox();
    await sandbox.unpack(await tar([
      { name: 'link', type: 'symlink', linkname: '../outside/secret', mode: 0o777 }, { name: 'again', type: 'link', linkname: 'link', mode: 0o777 },
      { name: 'directory', type: 'directory', mode: 0o777 }, { name: 'directory', type: 'symlink', linkname: '../outside/directory' },
    ]));
    sandbox.assertUntouched();
  });
});
