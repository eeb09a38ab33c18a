import { OrchError } from '../../model/errors.ts';
import type { TarEntry } from './tar-entry.ts';
import { decodeHeader, decodePax, describeEntry, latin1, size, TAR_BLOCK_BYTES } from './tar-header.ts';
import type { PaxRecords, RawHeader } from './tar-header.ts';

/** What comes out of a tar archive, in order: an entry, then all data of it. */
export type TarEvent = { readonly kind: 'entry'; readonly entry: TarEntry } | { readonly kind: 'data'; readonly data: Buffer };

/** Long names and extended headers beyond this are an attack on memory. */
const MAX_EXTENSION_BYTES = 1024 * 1024;
const extensionTypes = new Set(['x', 'g', 'L', 'K']);

/**
 * Reads a tar archive that arrives in pieces: ustar, pax and GNU headers.
 * tar-stream decodes extended headers as UTF-8, which destroys binary extended attributes (file capabilities) and names in other encodings.
 */
export class TarReader {
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of the current entry still to come, then of the padding after it. */
  #dataLeft = 0;
  #paddingLeft = 0;
  #ended = false;
  #extension: { readonly type: string; readonly body: Buffer; filled: number } | undefined;
  #globalRecords: PaxRecords = new Map();
  #records: Map<string, string> = new Map();

  /** Takes the next bytes and yields what they complete; the data it yields is part of `chunk`, not a copy. Throws ORCH_CORRUPT and ORCH_UNSUPPORTED. */
  *push(chunk: Buffer): Generator<TarEvent> {
    let rest = chunk;
    while (rest.length > 0 && !this.#ended) {
      if (this.#dataLeft > 0) {
        const data = rest.subarray(0, this.#dataLeft);
        rest = rest.subarray(data.length);
        this.#dataLeft -= data.length;
        if (this.#extension === undefined) yield { kind: 'data', data };
        else this.#extend(data);
      } else if (this.#paddingLeft > 0) {
        const skipped = Math.min(this.#paddingLeft, rest.length);
        this.#paddingLeft -= skipped;
        rest = rest.subarray(skipped);
      } else {
        const { block, after } = this.#takeBlock(rest);
        rest = after;
        const entry = block && this.#header(block);
        if (entry) yield { kind: 'entry', entry };
      }
    }
  }

  /** To be called after the last byte; throws ORCH_CORRUPT when the archive stops in the middle of an entry, or, when `strict`, without its end mark. */
  finish(options: { readonly strict: boolean }): void {
    if (this.#ended) return;
    const midway = this.#pending.length > 0 || this.#dataLeft > 0 || this.#extension !== undefined || this.#records.size > 0;
    if (midway || options.strict) throw new OrchError('ORCH_CORRUPT', 'The tar archive is cut short');
  }

  #takeBlock(rest: Buffer): { block: Buffer | undefined; after: Buffer } {
    const missing = TAR_BLOCK_BYTES - this.#pending.length;
    const part = rest.subarray(0, missing);
    const block = this.#pending.length === 0 ? part : Buffer.concat([this.#pending, part]);
    const complete = block.length === TAR_BLOCK_BYTES;
    this.#pending = complete ? Buffer.alloc(0) : Buffer.from(block);
    return { block: complete ? block : undefined, after: rest.subarray(part.length) };
  }

  #header(block: Buffer): TarEntry | undefined {
    const header = decodeHeader(block);
    if (header === undefined) {
      this.#ended = true;
      return undefined;
    }
    if (extensionTypes.has(header.typeFlag)) {
      this.#beginExtension(header);
      return undefined;
    }
    const records = this.#globalRecords.size === 0 ? this.#records : new Map([...this.#globalRecords, ...this.#records]);
    this.#records = new Map();
    if (header.typeFlag === 'V') return undefined; // a volume label describes the archive
    const entry = describeEntry(header, records);
    this.#expect(entry.sizeBytes);
    return entry;
  }

  #beginExtension(header: RawHeader): void {
    const bytes = size(new Map(), header);
    if (bytes > MAX_EXTENSION_BYTES) throw new OrchError('ORCH_CORRUPT', `The tar archive is damaged: an extended header of ${bytes} bytes`);
    this.#extension = { type: header.typeFlag, body: Buffer.alloc(bytes), filled: 0 };
    this.#expect(bytes);
    if (bytes === 0) this.#endExtension();
  }

  #extend(data: Buffer): void {
    if (this.#extension === undefined) return;
    this.#extension.filled += data.copy(this.#extension.body, this.#extension.filled);
    if (this.#dataLeft === 0) this.#endExtension();
  }

  #endExtension(): void {
    const extension = this.#extension;
    this.#extension = undefined;
    if (extension?.type === 'x') for (const [key, value] of decodePax(extension.body)) this.#records.set(key, value);
    if (extension?.type === 'g') this.#globalRecords = new Map([...this.#globalRecords, ...decodePax(extension.body)]);
    if (extension?.type === 'L') this.#records.set('path', longName(extension.body));
    if (extension?.type === 'K') this.#records.set('linkpath', longName(extension.body));
  }

  #expect(bytes: number): void {
    this.#dataLeft = bytes;
    this.#paddingLeft = (TAR_BLOCK_BYTES - (bytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
  }
}

function longName(body: Buffer): string {
  const end = body.indexOf(0);
  return latin1(body, 0, end < 0 ? body.length : end);
}
