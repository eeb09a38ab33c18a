import { OrchError } from '../model/errors.ts';
import type { LogStream } from '../model/log-record.ts';

const HEADER_BYTES = 8;
const NEWLINE = 10;
const STDERR = 2;
/** The daemon's own words about why it can't go on. */
const DAEMON_ERROR = 3;

/** Something that was written to one stream of a container. */
export type LogFrame = { readonly stream: LogStream; readonly payload: Buffer };

/** Takes Docker's multiplexed log stream apart: frames of 1 byte stream, 3 zero bytes, 4 bytes length (big endian), payload (Engine API, "Stream format"). Throws ORCH_INTERNAL with the daemon's sentence from a frame of type 3. */
export async function* demultiplex(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogFrame, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32BE(4);
      if (rest.length < end) break;
      const payload = rest.subarray(HEADER_BYTES, end);
      if (rest[0] === DAEMON_ERROR) throw new OrchError('ORCH_INTERNAL', payload.toString('utf8').trim());
      yield { stream: rest[0] === STDERR ? 'stderr' : 'stdout', payload };
      rest = rest.subarray(end);
    }
  }
}

/** Lines of a stream that has no frames, each with its newline; the last may lack it. */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogFrame, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(NEWLINE) + 1; end > 0; end = rest.indexOf(NEWLINE) + 1) {
      yield { stream: 'stdout', payload: rest.subarray(0, end) };
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) yield { stream: 'stdout', payload: rest };
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
