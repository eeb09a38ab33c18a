import { OrchError } from '../../model/errors.ts';

/** What protobufjs hands out of a decoder, before the message is checked. */
type WireDecoder<T> = (reader: Uint8Array) => T;

/** A message off the wire; bytes that are not one are ORCH_INVALID. */
export function decodeWire<T>(decode: WireDecoder<T>, bytes: Uint8Array, what: string): T {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new OrchError('ORCH_INVALID', `The ${what} that arrived is not a valid message`, { cause, hint: 'Both nodes should run compatible versions of orch' });
  }
}

/** The encoded bytes as a Buffer over the same memory. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit field as an exact number. */
export function wholeNumber(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new OrchError('ORCH_INVALID', `${what} is ${value}, which is no whole number up to 2^53`);
}

/** A message field that must be there. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value !== null && value !== undefined) return value;
  throw new OrchError('ORCH_INVALID', `${what} is missing`);
}

/** The member of `allowed` that `text` is. */
export function oneOf<T extends string>(text: string, allowed: readonly T[], what: string): T {
  for (const candidate of allowed) if (candidate === text) return candidate;
  throw new OrchError('ORCH_INVALID', `${what} is "${text}", not one of ${allowed.join(', ')}`);
}

/** Wire enums number the model's words from 1 in their order; 0 is "unspecified". */
export function enumNumber<T extends string>(words: readonly T[], word: T): number {
  return words.indexOf(word) + 1;
}

/** The word of a wire enum; ORCH_INVALID for a number this version does not know. */
export function enumWord<T extends string>(words: readonly T[], number: number, what: string): T {
  const word = words[number - 1];
  if (word !== undefined) return word;
  throw new OrchError('ORCH_INVALID', `${what} is ${number}, which this version of orch does not know`, { hint: 'Both nodes should run compatible versions of orch' });
}
