import { OrchError } from '../../model/errors.ts';
import { printable } from './tar-entry.ts';
import type { TarEntry } from './tar-entry.ts';

export const TAR_BLOCK_BYTES = 512;

/** Values of extended (pax) headers, by keyword; latin1 text, so that binary values survive. */
export type PaxRecords = ReadonlyMap<string, string>;

export type RawHeader = {
  readonly typeFlag: string;
  readonly path: string;
  readonly linkPath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly device: { readonly major: number; readonly minor: number };
};

const entryTypes: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file', '\0': 'file', '7': 'file', '1': 'hard-link', '2': 'symlink',
  '3': 'character-device', '4': 'block-device', '5': 'directory', '6': 'fifo',
};

const MAX_OWNER = 0xffff_fffe;
const XATTR_PREFIX = 'SCHILY.xattr.';

/** Reads one 512-byte header; undefined for the zero block that ends an archive. Throws ORCH_CORRUPT. */
export function decodeHeader(block: Buffer): RawHeader | undefined {
  if (block[0] === 0 && block.every((byte) => byte === 0)) return undefined;
  if (!hasValidChecksum(block)) throw new OrchError('ORCH_CORRUPT', 'This is no tar archive, or a damaged one: a header has a wrong checksum');
  const name = text(block, 0, 100);
  const prefix = latin1(block, 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  return {
    typeFlag: latin1(block, 156, 157),
    path: prefix === '' ? name : `${prefix}/${name}`,
    linkPath: text(block, 157, 100),
    mode: numeric(block, 100, 8),
    uid: numeric(block, 108, 8),
    gid: numeric(block, 116, 8),
    sizeBytes: numeric(block, 124, 12),
    mtimeSeconds: numeric(block, 136, 12),
    device: { major: numeric(block, 329, 8), minor: numeric(block, 337, 8) },
  };
}

/** The entry that a header and the extended records before it describe. Throws ORCH_CORRUPT and, for sparse files and other rarities, ORCH_UNSUPPORTED. */
export function describeEntry(header: RawHeader, pax: PaxRecords): TarEntry {
  const path = pax.get('path') ?? header.path;
  const type = entryType(header, pax, path);
  return {
    type, path,
    linkPath: type === 'symlink' || type === 'hard-link' ? pax.get('linkpath') ?? header.linkPath : '',
    mode: header.mode & 0o7777,
    uid: owner(pax.get('uid') ?? header.uid, path),
    gid: owner(pax.get('gid') ?? header.gid, path),
    sizeBytes: type === 'file' ? size(pax, header) : 0,
    time: paxTime(pax.get('mtime') ?? String(header.mtimeSeconds)),
    device: header.device,
    extendedAttributes: extendedAttributes(pax),
  };
}

function entryType(header: RawHeader, pax: PaxRecords, path: string): TarEntry['type'] {
  const sparse = header.typeFlag === 'S' || pax.has('GNU.sparse.major') || pax.has('GNU.sparse.size');
  if (sparse) throw new OrchError('ORCH_UNSUPPORTED', `The tar entry "${printable(path)}" is a sparse file`, { hint: 'Pack it again without --sparse' });
  const type = entryTypes[header.typeFlag];
  if (type === undefined) throw new OrchError('ORCH_UNSUPPORTED', `The tar entry "${printable(path)}" has the unknown type "${header.typeFlag}"`);
  // Old archives mark a directory by its name alone.
  return type === 'file' && path.endsWith('/') ? 'directory' : type;
}

/** Bytes that follow the header, whatever its type. */
export const size = (pax: PaxRecords, header: RawHeader): number => {
  const bytes = Number(pax.get('size') ?? header.sizeBytes);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw damaged(`the entry "${printable(header.path)}" has an impossible size`);
  return bytes;
};

/** Splits the body of a pax header into records `LENGTH KEY=VALUE\n`. Throws ORCH_CORRUPT. */
export function decodePax(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let offset = 0; offset < body.length;) {
    const space = body.indexOf(0x20, offset);
    const length = Number(latin1(body, offset, Math.max(space, offset)));
    const end = offset + length;
    const equals = body.indexOf(0x3d, space);
    const sound = space > offset && Number.isInteger(length) && end <= body.length && equals > space && equals < end && body[end - 1] === 0x0a;
    if (!sound) throw damaged('an extended header is malformed');
    records.set(latin1(body, space + 1, equals), latin1(body, equals + 1, end - 1));
    offset = end;
  }
  return records;
}

function extendedAttributes(pax: PaxRecords): Map<string, Buffer> {
  const attributes = new Map<string, Buffer>();
  for (const [key, value] of pax) {
    if (key.startsWith(XATTR_PREFIX)) attributes.set(key.slice(XATTR_PREFIX.length), Buffer.from(value, 'latin1'));
  }
  return attributes;
}

function owner(value: string | number, path: string): number {
  const id = Number(value);
  if (!Number.isInteger(id) || id < 0 || id > MAX_OWNER) throw damaged(`the entry "${printable(path)}" has the impossible owner ${value}`);
  return id;
}

function paxTime(value: string): TarEntry['time'] {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value);
  if (match === null) throw damaged(`an extended header has the impossible time "${value}"`);
  const [, sign, whole, fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign !== '-') return { seconds, nanoseconds };
  return nanoseconds === 0 ? { seconds: -seconds, nanoseconds: 0 } : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return latin1(block, offset, end < 0 || end > offset + length ? offset + length : end);
}

/** Octal digits between blanks, or GNU's big-endian binary form when the first bit is set. */
function numeric(block: Buffer, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if ((first & 0x80) !== 0) return binary(block.subarray(offset, offset + length));
  const digits = latin1(block, offset, offset + length).replaceAll('\0', ' ').trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw damaged('a header holds a number that is not octal');
  return Number.parseInt(digits, 8);
}

/** Two's complement in the seven low bits of the first byte and all of the others. */
function binary(field: Buffer): number {
  const first = (field[0] ?? 0) & 0x7f;
  let value = BigInt(first < 0x40 ? first : first - 0x80);
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
  return Number(value);
}

function hasValidChecksum(block: Buffer): boolean {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let index = 0; index < TAR_BLOCK_BYTES; index += 1) {
    if (index >= 148 && index < 156) continue;
    const byte = block[index] ?? 0;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const digits = latin1(block, 148, 156).replaceAll('\0', ' ').trim();
  if (!/^[0-7]+$/.test(digits)) return false;
  const stored = Number.parseInt(digits, 8);
  return stored === unsigned || stored === signed;
}

/** The bytes from `start` to before `end`, one character each. */
export const latin1 = (bytes: Buffer, start: number, end: number): string => bytes.toString('latin1', start, end);

const damaged = (why: string): OrchError => new OrchError('ORCH_CORRUPT', `The tar archive is damaged: ${why}`);
