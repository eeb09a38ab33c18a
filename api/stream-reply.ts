import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { errorMessage } from '../model/errors.ts';
import type { ApiContext, Call } from './route.ts';

export type StreamedReply = {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Uint8Array | string>;
  /** What to tell the client of a failure in the middle; the connection is cut when there are no words for it. */
  failure?(error: unknown): Uint8Array | string;
};

/** Sends the head at once and then `chunks` as fast as the client takes them. Ends when they end or the client goes away; errors after the head go into the stream. */
export async function streamReply(context: ApiContext, call: Call, streamed: StreamedReply): Promise<void> {
  const { raw } = call.reply;
  call.reply.hijack();
  for (const [name, value] of Object.entries(call.reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, { 'content-type': streamed.contentType });
  raw.flushHeaders();
  try {
    for await (const chunk of streamed.chunks) await write(raw, chunk, call.signal);
    // A source that was told to stop may end quietly, but its reader must not take that for the end.
    if (call.signal.aborted) raw.destroy();
    else raw.end();
  } catch (error) {
    if (call.signal.aborted) raw.destroy();
    else fail(context, call, { streamed, error });
  }
}

function fail(context: ApiContext, call: Call, { streamed, error }: { streamed: StreamedReply; error: unknown }): void {
  context.log.warn({ url: call.request.originalUrl, error: errorMessage(error) }, 'a streamed answer failed');
  if (streamed.failure) call.reply.raw.end(streamed.failure(error));
  else call.reply.raw.destroy();
}

async function write(raw: ServerResponse, chunk: Uint8Array | string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (raw.write(chunk) || chunk.length === 0) return;
  await once(raw, 'drain', { signal });
}
