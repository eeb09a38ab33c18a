import type { Clock } from '../base/clock.ts';
import { OrchError } from '../model/errors.ts';
import type { CommitChanges, CommitResult, Condition, Entry, KeyChange, Operation, StoreBackend, StoreRevision } from './backend.ts';
import { checkCommit, closedError } from './commit-check.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { POSITION_BITS } from './sqlite-database.ts';
import type { CommitOutcome } from './sqlite-engine.ts';
import { type WorkerAnswer, type WorkerCall, packCommits, unpackChanges, unpackEntries, unpackError, unpackOutcomes } from './sqlite-protocol.ts';
import { writeSnapshot } from './sqlite-snapshot.ts';
import { WatchFeed } from './watch-feed.ts';

export type SqliteOptions = {
  /** The database file; `-wal`, `-shm` and `.lock` files appear beside it. */
  readonly path: string;
  readonly clock: Clock;
  /** The file does not grow beyond this; commits that need more reject with ORCH_NO_SPACE, deletions and compaction still work. Default: the disk is the limit. */
  readonly maxBytes?: number;
};

type QueuedCommit = {
  readonly operations: readonly Operation[];
  readonly conditions: readonly Condition[];
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
};

/** Batches of commits the worker has at a time: it works on one while the next is on its way, and later commits gather for the one after. */
const BATCHES_IN_FLIGHT = 2;

/** Commits that go to the worker before the end of the turn, once a turn, so that it works while more are being made; more often, answers and new commits could keep a turn from ending. */
const EAGER_COMMITS = 64;

/** How many operations one commit may have. */
const MAX_OPERATIONS = 2 ** POSITION_BITS;

/**
 * Opens or creates a durable backend on a file of this host. The file is used from a thread of its own, so that no write ever blocks the caller's event loop.
 * Throws ORCH_IN_USE when another process has it open, ORCH_CORRUPT when the file is damaged, ORCH_UNSUPPORTED when a newer program wrote it.
 */
export async function openSqliteBackend(options: SqliteOptions): Promise<StoreBackend> {
  const { path, clock, maxBytes } = options;
  const connection = new SqliteConnection({ path, nowMs: clock.monotonic(), ...(maxBytes === undefined ? {} : { maxBytes }) }, clock);
  try {
    const { epoch, revision } = await connection.opened;
    return new SqliteBackend(path, connection, { epoch, revision });
  } catch (error) {
    await connection.ended;
    throw error;
  }
}

class SqliteBackend implements StoreBackend {
  readonly epoch: number;
  readonly #path: string;
  readonly #connection: SqliteConnection;
  readonly #feed: WatchFeed;
  #queue: QueuedCommit[] = [];
  #batchesInFlight = 0;
  #isFlushPlanned = false;
  #hasFlushedEarly = false;
  #failure: Error | undefined;

  constructor(path: string, connection: SqliteConnection, { epoch, revision }: StoreRevision) {
    this.epoch = epoch;
    this.#path = path;
    this.#connection = connection;
    this.#feed = new WatchFeed(revision, async (after, upTo) => {
      const { commits } = await this.#call({ type: 'replay', query: { after, upTo } }, 'commits');
      return unpackChanges(commits);
    });
    connection.onOwnCommit = (commit) => this.#feed.publish(commit);
    connection.onLost = (error) => this.#lose(error);
  }

  async range(prefix: string, options: { atRevision?: number; limit?: number; afterKey?: string } = {}): Promise<{ revision: number; entries: Entry[] }> {
    const query = { prefix, atRevision: options.atRevision, limit: options.limit, afterKey: options.afterKey };
    const { revision, entries } = await this.#call({ type: 'range', query }, 'entries');
    return { revision, entries: unpackEntries(entries) };
  }

  async commit(operations: readonly Operation[], conditions: readonly Condition[]): Promise<CommitResult> {
    checkCommit(operations, conditions);
    if (operations.length > MAX_OPERATIONS) throw new OrchError('ORCH_INVALID', `A commit has ${operations.length} operations, the most is ${MAX_OPERATIONS}`);
    if (this.#failure) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<CommitResult>();
    this.#queue.push({ operations, conditions, resolve, reject });
    this.#planFlush();
    if (this.#queue.length >= EAGER_COMMITS && !this.#hasFlushedEarly) {
      this.#hasFlushedEarly = true;
      this.#flush({ all: false });
    }
    return promise;
  }

  watch(afterRevision: number, signal: AbortSignal): AsyncIterable<CommitChanges> { return this.#feed.watch(afterRevision, signal); }

  async compact(revision: number): Promise<void> { await this.#call({ type: 'compact', revision }, 'done'); }

  async snapshot(path: string): Promise<void> {
    if (this.#failure) throw this.#failure;
    await writeSnapshot(this.#path, path);
  }

  async campaign(key: string, holder: string, ttlMs: number): Promise<boolean> {
    checkCommit([{ key, value: holder }], []);
    const { held } = await this.#call({ type: 'campaign', campaign: { key, holder, ttlMs } }, 'held');
    return held;
  }

  async resign(key: string, holder: string): Promise<void> { await this.#call({ type: 'resign', resignation: { key, holder } }, 'done'); }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#failure) return this.#connection.ended;
    this.#flush({ all: true });
    this.#failure = closedError();
    await this.#connection.close();
    this.#feed.close();
  }

  /** Asks the worker after all commits that were made before. */
  async #call<T extends WorkerAnswer['type']>(call: WorkerCall, type: T): Promise<Extract<WorkerAnswer, { type: T }>> {
    if (this.#failure) throw this.#failure;
    this.#flush({ all: true });
    return this.#connection.call(call, type);
  }

  /** Commits made in one turn of the event loop go to the worker together. */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    setImmediate(() => {
      this.#isFlushPlanned = false;
      this.#hasFlushedEarly = false;
      this.#flush({ all: false });
    });
  }

  #flush({ all }: { all: boolean }): void {
    if (this.#queue.length === 0 || (!all && this.#batchesInFlight >= BATCHES_IN_FLIGHT)) return;
    const batch = this.#queue;
    this.#queue = [];
    this.#batchesInFlight += 1;
    this.#connection.request({ type: 'commit', commits: packCommits(batch) }, {
      onAnswer: (answer) => {
        this.#batchesInFlight -= 1;
        this.#settle(batch, answer);
        if (this.#queue.length > 0) this.#planFlush();
      },
      onLost: (error) => { for (const { reject } of batch) reject(error); },
    });
  }

  #settle(batch: readonly QueuedCommit[], answer: WorkerAnswer): void {
    if (answer.type !== 'outcomes') {
      const error = answer.type === 'failed' ? unpackError(answer.error) : new Error(`unexpected answer ${answer.type}`);
      for (const { reject } of batch) reject(error);
      return;
    }
    const outcomes = unpackOutcomes(answer);
    batch.forEach((commit, index) => this.#settleOne(commit, outcomes[index]));
  }

  #settleOne({ operations, conditions, resolve, reject }: QueuedCommit, outcome: CommitOutcome | undefined): void {
    if (outcome?.type === 'committed') {
      const { revision, idle } = outcome;
      if (operations.length > idle.length) this.#feed.publish({ revision, changes: changesOf(operations, outcome) });
      resolve({ ok: true, revision });
      return;
    }
    const failed = outcome?.type === 'refused' ? conditions[outcome.condition] : undefined;
    if (failed) resolve({ ok: false, failed });
    else reject(outcome?.type === 'failed' ? outcome.error : new Error('the store worker left a commit unanswered'));
  }

  /** The worker is gone: nothing more can be written or read. */
  #lose(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#queue.splice(0)) reject(error);
    this.#feed.close(error);
  }
}

function changesOf(operations: readonly Operation[], { revision, idle }: { revision: number; idle: readonly number[] }): KeyChange[] {
  const effective = idle.length === 0 ? operations : operations.filter((_, position) => !idle.includes(position));
  return effective.map(({ key, value }) => ({ key, value, revision }));
}
