import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, readTextIfExists, writeFileAtomic } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import type { ContainerId } from '../../model/meta.ts';
import { parseRecord, type ContainerRecord } from './container-record.ts';

/** Size from which the file is written anew once half of it is dead. */
const COMPACT_BYTES = 4 * 1024 * 1024;

type Change = { readonly id: ContainerId; /** Missing when the record goes. */ readonly line: string | undefined; readonly waiter: PromiseWithResolvers<void> };

/**
 * The durable records of an engine: a file of JSON lines, the last line of an id counts. Writes that come together share one
 * sync of the disk. A line that a power cut tore is the last one and is dropped: nobody was told that it was written.
 */
export class ContainerJournal implements AsyncDisposable {
  readonly #path: string;
  #live: Map<ContainerId, string>;
  #file: FileHandle;
  #bytes: number;
  #pending: Change[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(path: string, { file, bytes, live }: { file: FileHandle; bytes: number; live: Map<ContainerId, string> }) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
    this.#live = live;
  }

  /** Opens or makes the journal at `path` and returns its records with it. Throws ORCH_CORRUPT naming the line. */
  static async open(path: string): Promise<{ journal: ContainerJournal; records: Map<ContainerId, ContainerRecord> }> {
    await mkdir(dirname(path), { recursive: true });
    const records = new Map<ContainerId, ContainerRecord>();
    const live = new Map<ContainerId, string>();
    const text = await readTextIfExists(path) ?? '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    for (const [index, line] of whole.split('\n').slice(0, -1).entries()) {
      const { id, record } = parseLine(line, `${path}:${index + 1}`);
      if (record) records.set(id, record);
      else records.delete(id);
      setOrDelete(live, id, record && `${line}\n`);
    }
    await writeFileAtomic(path, [...live.values()].join(''));
    const file = await open(path, 'a', 0o600);
    const { size } = await file.stat();
    return { journal: new ContainerJournal(path, { file, bytes: size, live }), records };
  }

  /** Resolves once the record is durable. Throws ORCH_NO_SPACE when the disk is full. */
  write(record: ContainerRecord): Promise<void> {
    return this.#append(record.create.id, `${JSON.stringify({ id: record.create.id, record })}\n`);
  }

  /** Resolves once the record is durably gone. */
  delete(id: ContainerId): Promise<void> { return this.#append(id, undefined); }

  /** Waits for what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#flushing) await this.#flushing;
    await this.#file.close();
  }

  #append(id: ContainerId, line: string | undefined): Promise<void> {
    const waiter = Promise.withResolvers<void>();
    this.#pending.push({ id, line, waiter });
    this.#flushing ??= this.#flush();
    return waiter.promise;
  }

  async #flush(): Promise<void> {
    await Promise.resolve(); // callers of this turn join the first batch
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#writeBatch(batch);
        for (const { waiter } of batch) waiter.resolve();
      } catch (error) {
        const failure = journalFailure(this.#path, error);
        for (const { waiter } of batch) waiter.reject(failure);
      }
    }
    this.#flushing = undefined;
  }

  async #writeBatch(batch: readonly Change[]): Promise<void> {
    if (this.#bytes > COMPACT_BYTES && this.#bytes > 2 * totalBytes(this.#live)) {
      await this.#compact(batch);
      return;
    }
    const bytes = Buffer.from(batch.map(({ id, line }) => line ?? `${JSON.stringify({ id })}\n`).join(''));
    try {
      await this.#file.writeFile(bytes);
      await this.#file.datasync();
    } catch (error) {
      await this.#file.truncate(this.#bytes); // so that later lines do not follow a torn one
      throw error;
    }
    this.#bytes += bytes.length;
    for (const { id, line } of batch) setOrDelete(this.#live, id, line);
  }

  async #compact(batch: readonly Change[]): Promise<void> {
    const live = new Map(this.#live);
    for (const { id, line } of batch) setOrDelete(live, id, line);
    await writeFileAtomic(this.#path, [...live.values()].join(''));
    await this.#file.close();
    this.#file = await open(this.#path, 'a', 0o600);
    this.#bytes = totalBytes(live);
    this.#live = live;
  }
}

function setOrDelete(live: Map<ContainerId, string>, id: ContainerId, line: string | undefined): void {
  if (line === undefined) live.delete(id);
  else live.set(id, line);
}

const totalBytes = (live: ReadonlyMap<ContainerId, string>): number => live.values().reduce((sum, line) => sum + Buffer.byteLength(line), 0);

function parseLine(line: string, place: string): { id: ContainerId; record: ContainerRecord | undefined } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string') {
      return { id: value.id, record: 'record' in value ? parseRecord(value.record) : undefined };
    }
  } catch (error) {
    throw new OrchError('ORCH_CORRUPT', `The record of a container at ${place} cannot be read`, { cause: error });
  }
  throw new OrchError('ORCH_CORRUPT', `The record of a container at ${place} has no id`);
}

function journalFailure(path: string, error: unknown): OrchError {
  if (isErrno(error, 'ENOSPC') || isErrno(error, 'EDQUOT')) return new OrchError('ORCH_NO_SPACE', `The disk is full: ${path} cannot be written`, { cause: error });
  return new OrchError('ORCH_INTERNAL', `${path} cannot be written`, { cause: error });
}
