/** Streams of Docker's multiplexed format; `error` carries the engine's own words. */
export const stdcopyStreams = { stdout: 1, stderr: 2, error: 3 } as const;

const HEADER_BYTES = 8;

/** One frame: stream number, three zero bytes, length in big endian, then the payload's `parts` one after another. */
export function stdcopyFrame(stream: keyof typeof stdcopyStreams, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = stdcopyStreams[stream];
  header.writeUInt32BE(length, 4);
  return Buffer.concat([header, ...parts], HEADER_BYTES + length);
}
