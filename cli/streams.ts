import type { LogStream } from '../model/log-record.ts';

const HEADER_BYTES = 8;

/** Takes Docker's multiplexed log stream apart: frames of 1 byte stream, 3 zero bytes, 4 bytes length (big endian), payload (Engine API, "Stream format"). */
export async function* demultiplex(chunks: AsyncIterable<Uint8Array>): AsyncIterable<{ stream: LogStream; payload: Buffer }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', payload: rest.subarray(HEADER_BYTES, end) };
      rest = rest.subarray(end);
    }
  }
}

/** Values of a stream of JSON texts, one a line. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) if (text.trim() !== '') yield JSON.parse(text);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}
