import type { ClientWritableStream } from '@grpc/grpc-js';
import { errorMessage } from '../../model/errors.ts';
import type { LogRecord } from '../../model/log-record.ts';
import type { ManagerChannel } from '../../proto/channel.ts';
import { encodeLogMessage } from '../../proto/convert/log-message.ts';
import type { LogMessage } from '../../proto/convert/log-message.ts';
import { nodeControlMethods } from '../../proto/services.ts';

/** A message is sent when this much text waits, or as soon as the log pauses. */
const MAX_BATCH_BYTES = 64 * 1024;

/** Streams the records of a subscription over `channel`, no faster than the manager takes them; resolves when it has them all. Rejects with the manager's error; `records` is then left at its next record. */
export async function uploadLogs(channel: ManagerChannel, subscriptionId: string, records: AsyncIterable<LogRecord>): Promise<void> {
  const { stream, answered } = channel.openUpload(nodeControlMethods.publishLogs);
  const sender = new BatchSender(stream, subscriptionId);
  // Ends by itself: at the end of the log, or at the next record once the sender has stopped.
  void sendAll(records, sender);
  try {
    // The answer may come before the end of the log: then the manager wants no more, and a log that is quiet must not be waited for.
    await answered;
  } finally {
    sender.stop();
    stream.cancel();
  }
}

/** Never rejects: an error of the log itself is told to the manager, which then ends the call with it. */
async function sendAll(records: AsyncIterable<LogRecord>, sender: BatchSender): Promise<void> {
  try {
    for await (const record of records) {
      if (sender.stopped) return;
      await sender.add(record);
    }
    sender.finish({});
  } catch (error) {
    sender.finish({ error: errorMessage(error) });
  }
}

class BatchSender {
  readonly #stream: ClientWritableStream<Buffer>;
  #subscriptionId: string;
  #batch: LogRecord[] = [];
  #batchBytes = 0;
  #flushing = false;
  #goOn: (() => void) | undefined;
  #stopped = false;

  constructor(stream: ClientWritableStream<Buffer>, subscriptionId: string) {
    this.#stream = stream;
    this.#subscriptionId = subscriptionId;
    stream.on('drain', () => this.#goOn?.());
    // The first message names the subscription even before there is a record, so that the manager learns of the stream at once.
    this.#write({ records: [] });
  }

  get stopped(): boolean { return this.#stopped; }

  /** Resolves when more records may come. */
  async add(record: LogRecord): Promise<void> {
    this.#batch.push(record);
    this.#batchBytes += record.line.byteLength;
    if (this.#batchBytes >= MAX_BATCH_BYTES) this.#flush();
    else this.#flushSoon();
    if (!this.#stopped && this.#stream.writableNeedDrain) await new Promise<void>((resolve) => { this.#goOn = resolve; });
  }

  finish(end: { error?: string }): void {
    if (this.#stopped) return;
    this.#flush();
    if (end.error !== undefined) this.#write({ records: [], error: end.error });
    this.#stream.end();
  }

  /** Nothing is sent from now on, and nobody waits. */
  stop(): void {
    this.#stopped = true;
    this.#goOn?.();
  }

  /** After records that are there now: those that a pause separates go in messages of their own. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#stopped || this.#batch.length === 0) return;
    const records = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#write({ records });
  }

  #write(message: Omit<LogMessage, 'subscriptionId'>): void {
    this.#stream.write(encodeLogMessage({ subscriptionId: this.#subscriptionId, ...message }));
    this.#subscriptionId = '';
  }
}
