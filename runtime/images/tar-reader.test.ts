import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import type { TarEntry } from './tar-entry.ts';
import { TarReader } from './tar-reader.ts';
import { tar } from './testing.ts';
import type { TestEntry } from './testing.ts';

type ReadEntry = TarEntry & { content: string };

function read(archive: Buffer, pieceBytes = archive.length || 1): ReadEntry[] {
  const reader = new TarReader();
  const entries: ReadEntry[] = [];
  for (let offset = 0; offset < archive.length; offset += pieceBytes) {
    for (const event of reader.push(archive.subarray(offset, offset + pieceBytes))) {
      const last = entries.at(-1);
      if (event.kind === 'entry') entries.push({ ...event.entry, content: '' });
      else if (last) last.content += event.data.toString('latin1');
    }
  }
  reader.finish({ strict: true });
  return entries;
}

const thrown = (archive: Buffer): unknown => {
  try {
    read(archive);
  } catch (error) {
    return error;
  }
  return undefined;
};

/** One 512-byte header with a right checksum; `fields` are [offset, text]. */
function header(fields: readonly (readonly [number, string])[]): Buffer {
  const block = Buffer.alloc(512);
  block.write('0000644\0', 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  for (const [offset, text] of fields) block.write(text, offset, 'latin1');
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const padded = (text: string): Buffer => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc((512 - (Buffer.byteLength(text, 'latin1') % 512)) % 512)]);
const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
const end = Buffer.alloc(1024);

describe('TarReader', () => {
  it('reads what another program has packed, in pieces of any size', async () => {
    const names = fc.stringMatching(/^[a-zä]{1,60}(\/[a-z]{1,60}){0,3}$/);
    const entries = fc.array(fc.record({ name: names, content: fc.string({ maxLength: 1500, unit: 'binary-ascii' }), mode: fc.integer({ min: 1, max: 0o7777 }), uid: fc.integer({ min: 0, max: 0o777777 }), gid: fc.integer({ min: 0, max: 0o777777 }) }, { noNullPrototype: true }), { maxLength: 5 });
    await fc.assert(fc.asyncProperty(entries, fc.integer({ min: 1, max: 2000 }), async (wanted, pieceBytes) => {
      const found = read(await tar(wanted satisfies TestEntry[]), pieceBytes);
      assert.deepEqual(found.map(({ path, content, mode, uid, gid }) => ({ name: Buffer.from(path, 'latin1').toString(), content, mode, uid, gid })), wanted);
    }), { numRuns: 60 });
  });

  it('knows every kind of entry', async () => {
    const kinds = [['directory', 'directory'], ['symlink', 'symlink'], ['link', 'hard-link'], ['character-device', 'character-device'], ['block-device', 'block-device'], ['fifo', 'fifo']] as const;
    const found = read(await tar(kinds.map(([type]) => ({ name: `a-${type}`, type, linkname: 'target', devmajor: 5, devminor: 300 }))));
    assert.deepEqual(found.map(({ type }) => type), kinds.map(([, type]) => type));
    assert.deepEqual(found[1]?.linkPath, 'target');
    assert.deepEqual(found[3]?.device, { major: 5, minor: 300 });
  });

  it('keeps extended attributes byte by byte', () => {
    const value = '\x01\x00\x00\x02\xff\x80=\n\xc3';
    const record = ` SCHILY.xattr.security.capability=${value}\n`;
    const body = `${record.length + 2}${record}`;
    const [entry] = read(Buffer.concat([header([[0, 'x'], [124, octal(body.length)], [156, 'x']]), padded(body), header([[0, 'ping'], [124, octal(0)], [156, '0']]), end]));
    assert.equal(entry?.extendedAttributes.get('security.capability')?.toString('latin1'), value);
  });

  it('reads times with fractions and before 1970, large owners, and the global header', () => {
    const record = (text: string): string => `${text.length + 4} ${text}\n`;
    const global = record('uid=3000000000');
    const own = record('mtime=-1.250000000') + record('gid=4000000001');
    const [entry] = read(Buffer.concat([
      header([[0, 'g'], [124, octal(global.length)], [156, 'g']]), padded(global),
      header([[0, 'x'], [124, octal(own.length)], [156, 'x']]), padded(own), header([[0, 'f'], [124, octal(0)], [156, '0']]), end,
    ]));
    assert.deepEqual([entry?.uid, entry?.gid, entry?.time], [3_000_000_000, 4_000_000_001, { seconds: -2, nanoseconds: 750_000_000 }]);
  });

  it('reads the long names and binary numbers of GNU tar', () => {
    const name = `${'d/'.repeat(100)}file`;
    const uid = '\x80\x00\x00\x00\x12\x34\x56\x78';
    const [entry] = read(Buffer.concat([
      header([[0, '././@LongLink'], [124, octal(name.length + 1)], [156, 'L']]), padded(`${name}\0`),
      header([[0, 'short'], [108, uid], [124, octal(3)], [156, '0'], [257, 'ustar  \0']]), padded('abc'), end,
    ]));
    assert.deepEqual([entry?.path, entry?.uid, entry?.content], [name, 0x1234_5678, 'abc']);
  });

});

describe('TarReader on archives that are damaged or worse', () => {
  it('refuses sparse files and unknown types, naming them', () => {
    for (const [type, message] of [['S', 'The tar entry "f" is a sparse file'], ['D', 'The tar entry "f" has the unknown type "D"']]) {
      const error = thrown(Buffer.concat([header([[0, 'f'], [124, octal(0)], [156, type ?? '']]), end]));
      assert.ok(isOrchError(error, 'ORCH_UNSUPPORTED') && error.message === message, String(error));
    }
  });

  it('refuses an archive that stops early, wherever that is', async () => {
    const archive = await tar([{ name: 'a', content: 'x'.repeat(700) }, { name: 'b'.repeat(150), content: 'y' }]);
    fc.assert(fc.property(fc.integer({ min: 1, max: archive.length - 1025 }), (bytes) => {
      assert.ok(isOrchError(thrown(archive.subarray(0, bytes)), 'ORCH_CORRUPT'));
    }));
  });

  it('says of a file that was never an archive that it is none', () => {
    for (const text of ['root:x:0:0:root:/root:/bin/sh\n'.repeat(40), '{"not":"a tar"}'.padEnd(1024)]) {
      const error = thrown(Buffer.from(text));
      assert.ok(isOrchError(error, 'ORCH_CORRUPT') && error.message.startsWith('This is no tar archive, or a damaged one: '), String(error));
    }
  });

  it('refuses headers that were meant to cost memory', () => {
    const error = thrown(Buffer.concat([header([[0, 'x'], [124, octal(8e9)], [156, 'x']]), end]));
    assert.ok(isOrchError(error, 'ORCH_CORRUPT') && error.message.includes('8000000000 bytes'));
  });

  it('never throws anything but its own errors, whichever bytes are changed', async () => {
    const archive = await tar([{ name: 'ä'.repeat(80), content: 'x' }, { name: 'l', type: 'symlink', linkname: 'y' }, { name: 'd', type: 'directory', pax: { 'SCHILY.xattr.user.a': 'b' } }]);
    const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: archive.length - 1 }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(fc.property(changes, fc.boolean(), (bytes, fixChecksums) => {
      const changed = Buffer.from(archive);
      for (const [offset, byte] of bytes) changed[offset] = byte;
      if (fixChecksums) for (let offset = 0; offset < changed.length; offset += 512) fixChecksum(changed.subarray(offset, offset + 512));
      const error = thrown(changed);
      assert.ok(error === undefined || isOrchError(error), String(error));
    }), { numRuns: 500 });
  });
});

/** Makes any block that looks like a header pass for one. */
function fixChecksum(block: Buffer): void {
  if (block.toString('latin1', 257, 262) !== 'ustar') return;
  block.fill(0x20, 148, 156);
  block.write(`${block.reduce((total, byte) => total + byte, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
