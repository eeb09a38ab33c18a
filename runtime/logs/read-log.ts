import { watch } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isErrno } from '../../base/files.ts';
import type { LogQuery, LogRecord } from '../engine.ts';
import { logTime, parseLogRecord } from './log-record.ts';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export type LogSource = {
  readonly path: string;
  /** Resolves when nothing will be appended any more. */
  readonly ended: Promise<void>;
};

/** The records of a log file that match `query`, oldest first; with `follow` also those still to come, until the log has ended, `untilMs` has passed in the log, or the signal is aborted (then it rejects with its reason). */
export async function* readLog(source: LogSource, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogRecord, void, void> {
  signal.throwIfAborted();
  const file = await openIfExists(source.path);
  if (!file) return;
  await using _file = file;
  const since = query.sinceMs > 0 ? logTime(query.sinceMs) : '';
  const until = query.untilMs > 0 ? logTime(query.untilMs) : undefined;
  const isWanted = (record: LogRecord): boolean => query[record.stream] && record.time >= since;
  const start = Number.isFinite(query.tail) ? await findTail(file, query.tail, (record) => isWanted(record) && (until === undefined || record.time < until)) : 0;
  for await (const record of query.follow ? followLines(source, file, { start, signal }) : fileLines(file, start)) {
    signal.throwIfAborted();
    if (until !== undefined && record.time >= until) return;
    if (isWanted(record)) yield record;
  }
}

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** What is in the file now. */
async function* fileLines(file: FileHandle, start: number): AsyncGenerator<LogRecord, void, void> {
  const reader = new RecordReader(file, start);
  for (let records = await reader.next(); records; records = await reader.next()) yield* records;
}

/** What is in the file, then what is appended, each as soon as the kernel reports it. */
async function* followLines(source: LogSource, file: FileHandle, { start, signal }: { start: number; signal: AbortSignal }): AsyncGenerator<LogRecord, void, void> {
  const reader = new RecordReader(file, start);
  const watcher = watch(source.path, { persistent: false });
  let changed = Promise.withResolvers<void>();
  let ended = false;
  const wake = (): void => changed.resolve();
  watcher.on('change', wake);
  watcher.on('error', (error) => changed.reject(error));
  signal.addEventListener('abort', wake);
  if (signal.aborted) wake();
  void source.ended.then(() => {
    ended = true;
    changed.resolve();
  });
  try {
    for (;;) {
      const last = ended; // read once more after the end: records may have come just before it
      for (let records = await reader.next(); records; records = await reader.next()) yield* records;
      if (last) return;
      await changed.promise;
      changed = Promise.withResolvers<void>();
      signal.throwIfAborted();
    }
  } finally {
    watcher.close();
    signal.removeEventListener('abort', wake);
  }
}

/** Reads whole lines from a position on. */
class RecordReader {
  readonly #file: FileHandle;
  #position: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** The next records; undefined at the present end of the file. */
  async next(): Promise<LogRecord[] | undefined> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await this.#file.read(chunk, 0, CHUNK_BYTES, this.#position);
    if (bytesRead === 0) return undefined;
    this.#position += bytesRead;
    const bytes = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)]);
    const records: LogRecord[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const record = parseLogRecord(bytes.subarray(start, end));
      if (record) records.push(record);
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return records;
  }
}

/** Position from which `count` wanted lines follow; a line in several partial records counts once. Reads the file from its end. */
async function findTail(file: FileHandle, count: number, isWanted: (record: LogRecord) => boolean): Promise<number> {
  const { size } = await file.stat();
  if (count <= 0) return size;
  let found = 0;
  let first = size;
  for await (const { position, record } of linesBackwards(file, size)) {
    if (!record || !isWanted(record)) continue;
    if (!record.partial || found === 0) found += 1;
    if (found > count) return first;
    first = position;
  }
  return 0;
}

async function* linesBackwards(file: FileHandle, size: number): AsyncGenerator<{ position: number; record: LogRecord | undefined }, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  let position = size;
  while (position > 0) {
    const length = Math.min(CHUNK_BYTES, position);
    position -= length;
    const chunk = Buffer.allocUnsafe(length);
    await file.read(chunk, 0, length, position);
    const bytes = Buffer.concat([chunk, rest]);
    let end = bytes.length;
    for (let newline = newlineBefore(bytes, end); newline >= 0; newline = newlineBefore(bytes, end)) {
      yield { position: position + newline + 1, record: parseLogRecord(lineOf(bytes, newline + 1, end)) };
      end = newline + 1;
    }
    rest = bytes.subarray(0, end);
  }
  if (rest.length > 0) yield { position: 0, record: parseLogRecord(lineOf(rest, 0, rest.length)) };
}

/** A line may end with a newline just before `end`; it begins after the one before that. */
const newlineBefore = (bytes: Buffer, end: number): number => end < 2 ? -1 : bytes.lastIndexOf(NEWLINE, end - 2);

const lineOf = (bytes: Buffer, start: number, end: number): Buffer => bytes.subarray(start, bytes[end - 1] === NEWLINE ? end - 1 : end);
