import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errorMessage, OrchError } from '../../model/errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const CHUNK_BYTES = 256 * 1024;
const MAGIC_BYTES = 6;
const magics: readonly { readonly name: string; readonly bytes: readonly number[]; readonly supported: Compression | undefined }[] = [
  { name: 'gzip', bytes: [0x1f, 0x8b], supported: 'gzip' },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd], supported: 'zstd' },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], supported: undefined },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68], supported: undefined },
];

/** How `head`, the first bytes of a file, is compressed. Throws ORCH_UNSUPPORTED for what cannot be read here. */
export function compressionOf(head: Uint8Array): Compression {
  const found = magics.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte));
  if (found === undefined) return 'none';
  if (found.supported !== undefined) return found.supported;
  throw new OrchError('ORCH_UNSUPPORTED', `The archive is compressed with ${found.name}`, { hint: 'Use gzip, zstd or no compression' });
}

/** The plain bytes of `source`, whose compression shows in its first bytes. Throws ORCH_CORRUPT when the compressed data is damaged or cut short. */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    const compression = compressionOf(head);
    const whole = prepend(head, iterator);
    if (compression === 'none') yield* whole;
    else yield* inflate(whole, compression);
  } finally {
    // Not waited for: a source that is waiting for its next bytes ends only when they come.
    Promise.resolve(iterator.return?.()).catch(() => { /* a source that fails while it is left concerns nobody */ });
  }
}

async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* prepend(head: Buffer, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield asBuffer(next.value);
}

async function* inflate(source: AsyncIterable<Buffer>, compression: 'gzip' | 'zstd'): AsyncGenerator<Buffer> {
  const inflater = compression === 'gzip' ? createGunzip({ chunkSize: CHUNK_BYTES }) : createZstdDecompress({ chunkSize: CHUNK_BYTES });
  pipeline(Readable.from(source), inflater, () => { /* whoever reads `inflater` meets the error */ });
  try {
    for await (const chunk of inflater) yield asBuffer(chunk);
  } catch (error) {
    if (!isDataError(error)) throw error;
    throw new OrchError('ORCH_CORRUPT', `The ${compression} data is damaged: ${errorMessage(error)}`, { cause: error });
  }
}

/** True for what zlib and zstd say of bytes that they cannot read; any other error is that of the source. */
const isDataError = (error: unknown): boolean => error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_)/.test(String(error.code));

const asBuffer = (chunk: Uint8Array): Buffer => Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
