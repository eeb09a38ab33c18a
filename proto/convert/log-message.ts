import type { LogRecord } from '../../model/log-record.ts';
import { orch } from '../gen/node.js';
import { decodeWire, toBuffer } from './fields.ts';

/** One message of a log on its way to a manager. */
export type LogMessage = {
  /** Set in the first message of a stream, else empty. */
  readonly subscriptionId: string;
  readonly records: readonly LogRecord[];
  /** Why the log could not be read; ends the stream. */
  readonly error?: string;
};

export function encodeLogMessage(message: LogMessage): Buffer {
  return toBuffer(orch.node.v1.LogMessage.encode({
    subscriptionId: message.subscriptionId,
    records: message.records.map(({ stream, ...record }) => ({ ...record, stderr: stream === 'stderr' })),
    error: message.error ?? null,
  }).finish());
}

/** Throws ORCH_INVALID for bytes that are not such a message. */
export function decodeLogMessage(bytes: Uint8Array): LogMessage {
  const wire = decodeWire<orch.node.v1.LogMessage>((reader) => orch.node.v1.LogMessage.decode(reader), bytes, 'log of an agent');
  return {
    subscriptionId: wire.subscriptionId,
    records: wire.records.map(recordFromWire),
    ...(wire.error === null ? {} : { error: wire.error }),
  };
}

function recordFromWire(wire: orch.node.v1.LogRecord): LogRecord {
  return { stream: wire.stderr ? 'stderr' : 'stdout', time: wire.time, line: wire.line, partial: wire.partial };
}
