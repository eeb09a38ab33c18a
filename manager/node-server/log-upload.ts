import type { ServerReadableStream } from '@grpc/grpc-js';
import { isOrchError, OrchError } from '../../model/errors.ts';
import type { LogRecord } from '../../model/log-record.ts';
import { decodeLogMessage } from '../../proto/convert/log-message.ts';
import type { LogMessage } from '../../proto/convert/log-message.ts';
import type { NodePlane, Peer } from '../../proto/session-messages.ts';

/** The whole answer: it has no fields. */
const done = Buffer.alloc(0);

/** Hands the records of one subscription to the plane as they arrive, no faster than it takes them. */
export async function serveLogUpload(call: ServerReadableStream<Buffer, Buffer>, peer: Peer, nodePlane: NodePlane): Promise<Buffer> {
  const messages = readMessages(call, peer);
  const first = await messages.next();
  if (first.done || first.value.subscriptionId === '') throw new OrchError('ORCH_INVALID', `Node ${peer.nodeId} sent a log that names no subscription`);
  await nodePlane.receiveLogs(peer, first.value.subscriptionId, recordsOf(first.value, messages));
  return done;
}

async function* recordsOf(first: LogMessage, rest: AsyncGenerator<LogMessage>): AsyncGenerator<LogRecord> {
  yield* readRecords(first);
  for await (const message of rest) yield* readRecords(message);
}

function* readRecords({ records, error }: LogMessage): Generator<LogRecord> {
  yield* records;
  if (error !== undefined) throw new OrchError('ORCH_RUNTIME', error);
}

async function* readMessages(call: ServerReadableStream<Buffer, Buffer>, peer: Peer): AsyncGenerator<LogMessage> {
  try {
    for await (const bytes of call) yield decodeLogMessage(bytes);
  } catch (cause) {
    if (isOrchError(cause)) throw cause;
    throw new OrchError('ORCH_UNREACHABLE', `The connection of node ${peer.nodeId} broke while it sent a log`, { details: { nodeId: peer.nodeId }, cause });
  }
}
