import { OrchError } from '../../model/errors.ts';

/** What a frame asks or answers; the same table as runtime/shim/frame.h. */
export const frameTypes = {
  hello: 1, welcome: 2, run: 3, runDone: 4, cancel: 5, start: 6, started: 7, failed: 8, readRoot: 9, rootFiles: 10, shutdown: 11,
  signal: 20, ok: 21, status: 22,
} as const;

/** What a field of a frame is; the same table as runtime/shim/frame.h. */
export const fieldTags = {
  arg: 1, env: 2, cwd: 3, netns: 4, stdin: 5, outputLimit: 6, stdout: 7, stderr: 8, exitCode: 9, stage: 10, errno: 11, text: 12, pid: 13,
  startedAtNs: 14, signal: 15,
  controlSocket: 20, logPath: 21, exitPath: 22, pidPath: 23, runtimeLog: 24, oomFile: 25, consoleSocket: 26, runNumber: 27,
  overlayTarget: 30, overlayLower: 31, overlayUpper: 32, overlayWork: 33,
  path: 40, content: 41,
} as const;
export type FieldTag = keyof typeof fieldTags;

/** Text goes as UTF-8, a number as 32 bits. */
type FieldValue = string | number | Uint8Array;
export type FrameField = readonly [tag: FieldTag, value: FieldValue];

const VERSION = 1;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 8;
const FIELD_HEADER_BYTES = 6;
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** The bytes of one frame. Throws ORCH_INVALID for text with a NUL byte, which no path or argument can hold. */
export function encodeFrame(type: number, request: number, fields: readonly FrameField[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(LENGTH_BYTES + HEADER_BYTES)];
  for (const [tag, value] of fields) {
    const content = encodeValue(tag, value);
    const header = Buffer.alloc(FIELD_HEADER_BYTES);
    header.writeUInt16LE(fieldTags[tag], 0);
    header.writeUInt32LE(content.length, 2);
    parts.push(header, content);
  }
  const frame = Buffer.concat(parts);
  frame.writeUInt32LE(frame.length - LENGTH_BYTES, 0);
  frame.writeUInt8(VERSION, 4);
  frame.writeUInt8(type, 5);
  frame.writeUInt32LE(request, 8);
  if (frame.length > MAX_FRAME_BYTES) throw new OrchError('ORCH_INVALID', `A request of ${frame.length} bytes is more than orch-shim takes`);
  return frame;
}

function encodeValue(tag: FieldTag, value: FieldValue): Buffer {
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  }
  if (typeof value !== 'string') return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (tag !== 'stdin' && value.includes('\0')) throw new OrchError('ORCH_INVALID', `${JSON.stringify(value.slice(0, 80))} holds a NUL character`);
  return Buffer.from(value);
}

/** One parsed frame; fields are read by tag. */
export class Frame {
  readonly type: number;
  readonly request: number;
  readonly #fields: ReadonlyMap<number, readonly Buffer[]>;

  constructor(type: number, request: number, fields: ReadonlyMap<number, readonly Buffer[]>) {
    this.type = type;
    this.request = request;
    this.#fields = fields;
  }

  /** Every field of this tag, in order. */
  all(tag: FieldTag): readonly Buffer[] { return this.#fields.get(fieldTags[tag]) ?? []; }

  /** The first field of this tag as text; empty when missing. */
  text(tag: FieldTag): string { return this.all(tag)[0]?.toString('utf8') ?? ''; }

  /** The first field of this tag as a number of 32 bits, or `missing`. */
  number(tag: FieldTag, missing: number): number {
    const bytes = this.all(tag)[0];
    return bytes?.length === 4 ? bytes.readInt32LE() : missing;
  }

  /** The first field of this tag as a number of 64 bits; 0 when missing. */
  bigint(tag: FieldTag): bigint {
    const bytes = this.all(tag)[0];
    return bytes?.length === 8 ? bytes.readBigUInt64LE() : 0n;
  }
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /** The frames that are complete with `chunk`. Throws ORCH_CORRUPT when the bytes are no frames; the stream is of no use then. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    for (let size = this.#nextSize(); size !== undefined && this.#length >= size; size = this.#nextSize()) {
      const bytes = this.#joined();
      frames.push(parseFrame(bytes.subarray(0, size)));
      this.#chunks = [bytes.subarray(size)];
      this.#length -= size;
    }
    return frames;
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    const joined = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #nextSize(): number | undefined {
    if (this.#length < LENGTH_BYTES) return undefined;
    const length = (this.#chunks[0] ?? Buffer.alloc(0)).length >= LENGTH_BYTES ? this.#chunks[0]?.readUInt32LE() : this.#joined().readUInt32LE();
    if (length === undefined || length < HEADER_BYTES || length > MAX_FRAME_BYTES) throw broken();
    return LENGTH_BYTES + length;
  }
}

const broken = (): OrchError => new OrchError('ORCH_CORRUPT', 'The other side of an orch-shim socket does not speak its protocol');

function parseFrame(bytes: Buffer): Frame {
  if (bytes.readUInt8(4) !== VERSION) throw broken();
  const fields = new Map<number, Buffer[]>();
  let offset = LENGTH_BYTES + HEADER_BYTES;
  while (bytes.length - offset >= FIELD_HEADER_BYTES) {
    const tag = bytes.readUInt16LE(offset);
    const end = offset + FIELD_HEADER_BYTES + bytes.readUInt32LE(offset + 2);
    if (end > bytes.length) throw broken();
    const content = bytes.subarray(offset + FIELD_HEADER_BYTES, end);
    const known = fields.get(tag);
    if (known) known.push(content);
    else fields.set(tag, [content]);
    offset = end;
  }
  if (offset !== bytes.length) throw broken();
  return new Frame(bytes.readUInt8(5), bytes.readUInt32LE(8), fields);
}
