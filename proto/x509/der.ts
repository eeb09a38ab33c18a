import { OrchError } from '../../model/errors.ts';

/** DER as in ITU-T X.690: what certificates and CSRs are written in. Only what orch's own profile of them needs. */
export const tags = {
  boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, null: 0x05, oid: 0x06, utf8String: 0x0c, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31,
} as const;

/** One element: tag, length, contents. */
export function encode(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), encodeLength(body.length), body]);
}

export const sequence = (...elements: readonly Uint8Array[]): Buffer => encode(tags.sequence, ...elements);
export const set = (...elements: readonly Uint8Array[]): Buffer => encode(tags.set, ...elements);
export const octetString = (bytes: Uint8Array): Buffer => encode(tags.octetString, bytes);
export const utf8String = (text: string): Buffer => encode(tags.utf8String, Buffer.from(text, 'utf8'));
export const derTrue = encode(tags.boolean, Buffer.from([0xff]));
/** `[number]`, constructed. */
export const context = (number: number, ...elements: readonly Uint8Array[]): Buffer => encode(0xa0 | number, ...elements);
/** `[number]`, primitive. */
export const contextPrimitive = (number: number, bytes: Uint8Array): Buffer => encode(0x80 | number, bytes);

/** A bit string; `unusedBits` at its end do not count. */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => encode(tags.bitString, Buffer.from([unusedBits]), bytes);

/** A positive integer from its big-endian bytes. */
export function positiveInteger(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const significant = start === -1 ? Buffer.from([0]) : bytes.subarray(start);
  // The highest bit is the sign: a leading zero keeps the number positive.
  return encode(tags.integer, Buffer.from((significant[0] ?? 0) > 0x7f ? [0] : []), significant);
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return encode(tags.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A time with a precision of seconds, in the form that RFC 5280 asks for its year. */
export function time(epochMs: number): Buffer {
  const digits = Temporal.Instant.fromEpochMilliseconds(epochMs).round({ smallestUnit: 'second', roundingMode: 'floor' }).toString().replaceAll(/[-:T]/g, '');
  return digits < '2050' ? encode(tags.utcTime, Buffer.from(digits.slice(2))) : encode(tags.generalizedTime, Buffer.from(digits));
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | rest % 128);
  return bytes;
}

/** One element as read: `raw` with tag and length, `contents` without. Both are views. */
export type Element = { readonly tag: number; readonly raw: Buffer; readonly contents: Buffer };

/** The elements that follow one another in `bytes`, with nothing left over. Throws ORCH_INVALID for anything that is not DER. */
export function readElements(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  while (rest.length > 0) {
    const element = readElement(rest);
    elements.push(element);
    rest = rest.subarray(element.raw.length);
  }
  return elements;
}

/** The one element that `bytes` is, which must have this tag. */
export function readOnly(bytes: Uint8Array, tag: number): Element {
  const [element, ...more] = readElements(bytes);
  if (element?.tag !== tag || more.length > 0) throw notDer();
  return element;
}

function readElement(bytes: Buffer): Element {
  const { headerLength, contentLength } = readHeader(bytes);
  const end = headerLength + contentLength;
  if (end > bytes.length) throw notDer();
  return { tag: bytes.readUInt8(0), raw: bytes.subarray(0, end), contents: bytes.subarray(headerLength, end) };
}

/** Tags of one byte, definite lengths in their shortest form. */
function readHeader(bytes: Buffer): { headerLength: number; contentLength: number } {
  if (bytes.length < 2 || (bytes.readUInt8(0) & 0x1f) === 0x1f) throw notDer();
  const first = bytes.readUInt8(1);
  if (first < 0x80) return { headerLength: 2, contentLength: first };
  const count = first & 0x7f;
  if (count === 0 || count > 3 || bytes.length < 2 + count) throw notDer();
  const contentLength = bytes.readUIntBE(2, count);
  if (contentLength < 0x80 || contentLength < 256 ** (count - 1)) throw notDer();
  return { headerLength: 2 + count, contentLength };
}

const notDer = (): OrchError => new OrchError('ORCH_INVALID', 'The bytes are not valid DER');
