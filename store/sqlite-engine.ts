import type { CommitChanges, Condition, Entry, KeyChange, Operation } from './backend.ts';
import { OrchError, isOrchError } from '../model/errors.ts';
import { Leases } from './leases.ts';
import { type DatabaseOptions, SqliteDatabase, firstIdSql, idSql, integer, storeError, text } from './sqlite-database.ts';
import { DEFAULT_RECENT_HEADS, SqliteHeads } from './sqlite-heads.ts';
import { type Bounds, type RangeQuery, type ReplayQuery, SqliteReader } from './sqlite-reader.ts';

export type EngineOptions = DatabaseOptions & {
  /** Changed keys kept in memory before their index is written; for tests. */
  readonly recentHeads?: number;
};

export type CommitRequest = { readonly operations: readonly Operation[]; readonly conditions: readonly Condition[] };

export type Campaign = { readonly key: string; readonly holder: string; readonly ttlMs: number };
export type Resignation = { readonly key: string; readonly holder: string };

/** What became of a request: its revision, the position of the condition that failed, or why it could not be written. */
export type CommitOutcome =
  | { readonly type: 'committed'; readonly revision: number; /** Positions of operations that changed nothing: deletions of absent keys. */ readonly idle: readonly number[] }
  | { readonly type: 'refused'; readonly condition: number }
  | { readonly type: 'failed'; readonly error: unknown };

/** Versions looked at in one step of compaction. */
const COMPACTION_STEP = 2000;

/** The synchronous heart of the SQLite backend; lives in a thread of its own. All times are of one monotonic clock. */
export class SqliteEngine implements Disposable {
  readonly #database: SqliteDatabase;
  readonly #heads: SqliteHeads;
  readonly #reader: SqliteReader;
  readonly #leases = new Leases();
  readonly #statements;
  #overwrittenLeases: string[] = [];
  #revision: number;
  #compacted: number;

  /** Opens or creates the database; see SqliteDatabase for errors. Leadership keys found there run for their full time once more. */
  constructor(options: EngineOptions, nowMs: number) {
    this.#database = new SqliteDatabase(options);
    const { db } = this.#database;
    this.#compacted = this.#database.meta('compacted');
    this.#heads = new SqliteHeads(this.#database, options.recentHeads ?? DEFAULT_RECENT_HEADS);
    this.#reader = new SqliteReader(this.#database, this.#heads);
    this.#statements = {
      append: db.prepare(`INSERT INTO data VALUES (${idSql}, ?, ?, ${idSql})`),
      grantLease: db.prepare('INSERT INTO lease VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET ttl_ms = excluded.ttl_ms'),
      dropLease: db.prepare('DELETE FROM lease WHERE key = ?'),
      stepEnd: db.prepare(`SELECT id >> 20 FROM data WHERE id >= ${firstIdSql} ORDER BY id LIMIT 1 OFFSET ${COMPACTION_STEP}`, { returnArrays: true }),
      sweepReplaced: db.prepare(`DELETE FROM data WHERE id IN (SELECT prev FROM data WHERE id >= ${firstIdSql} AND id < ${firstIdSql})`),
      sweepDeleted: db.prepare(`DELETE FROM data WHERE id >= ${firstIdSql} AND id < ${firstIdSql} AND value IS NULL`),
    };
    const last = db.prepare('SELECT max(id) >> 20 FROM data', { returnArrays: true }).get()?.[0];
    this.#revision = Math.max(this.#compacted, last === null ? 0 : integer(last)); // compaction may have removed the newest versions, when they were deletions
    for (const row of db.prepare('SELECT key, ttl_ms FROM lease', { returnArrays: true }).all()) this.#resumeLease(text(row[0]), { ttlMs: integer(row[1]), nowMs });
  }

  get epoch(): number { return this.#database.meta('epoch'); }
  get bounds(): Bounds { return { revision: this.#revision, compacted: this.#compacted }; }

  range(query: RangeQuery): { revision: number; entries: Entry[] } { return this.#reader.range(query, this.bounds); }

  replay(query: ReplayQuery): CommitChanges[] { return this.#reader.replay(query, this.bounds); }

  /**
   * Commits all requests in one durable transaction, each on its own conditions and with its own revision. When the transaction fails, each is tried alone,
   * so that one that is too large for the disk does not take the others with it.
   */
  commitGroup(requests: readonly CommitRequest[]): CommitOutcome[] {
    try {
      const outcomes = this.#write(() => requests.map((request) => this.#commitOne(request)));
      if (this.#heads.isMergeDue) this.#mergeHeads();
      return outcomes;
    } catch (error) {
      if (!isOrchError(error)) throw error;
      return requests.map((request) => this.#commitAlone(request));
    }
  }

  /** Deletes leadership keys that have run out; returns that commit when there was one. To be called before anything else is done at `nowMs`. */
  expireLeases(nowMs: number): CommitChanges | undefined {
    const expired = this.#leases.expired(nowMs);
    return expired.length === 0 ? undefined : this.#writeOwn(expired.map((key) => ({ key, value: undefined })));
  }

  /** See StoreBackend.campaign. */
  campaign({ key, holder, ttlMs }: Campaign, nowMs: number): { held: boolean; commit: CommitChanges | undefined } {
    const version = this.#heads.get(key);
    if (version && this.#leases.holder(key) !== holder) return { held: false, commit: undefined };
    const commit = version ? undefined : this.#writeOwn([{ key, value: holder }], () => this.#statements.grantLease.run(key, ttlMs));
    this.#leases.grant(key, { holder, ttlMs, nowMs });
    return { held: true, commit };
  }

  /** See StoreBackend.resign. */
  resign({ key, holder }: Resignation): CommitChanges | undefined {
    return this.#leases.holder(key) === holder ? this.#writeOwn([{ key, value: undefined }]) : undefined;
  }

  /** Makes history up to `revision` unreadable at once; `compactStep` then gives the space back. */
  startCompaction(revision: number): void {
    if (revision > this.#revision) throw new OrchError('ORCH_INVALID', `Revision ${revision} is in the future: the newest is ${this.#revision}`);
    if (revision <= this.#compacted) return;
    this.#database.withoutLimit(() => {
      this.#heads.merge(this.#revision); // the versions that say what was deleted are about to go
      this.#database.setMeta('compacted', revision);
    });
    this.#compacted = revision;
  }

  /** Gives back the space of some versions that nobody can read any more; false when none are left. */
  compactStep(): boolean {
    const start = this.#database.meta('swept') + 1;
    if (start > this.#compacted) return false;
    const next = this.#statements.stepEnd.get(start)?.[0];
    const end = Math.min(this.#compacted, next === undefined ? Infinity : Math.max(start, integer(next) - 1)) + 1;
    this.#database.transaction(() => {
      this.#statements.sweepReplaced.run(start, end);
      this.#statements.sweepDeleted.run(start, end);
      this.#database.setMeta('swept', end - 1);
    });
    return true;
  }

  [Symbol.dispose](): void { this.#database[Symbol.dispose](); }

  /** One commit on no conditions; `alsoRun` belongs to its transaction. */
  #writeOwn(operations: readonly Operation[], alsoRun?: () => void): CommitChanges {
    return this.#write(() => {
      const changes = this.#append(operations);
      alsoRun?.();
      return { revision: this.#revision, changes };
    });
  }

  /** Runs `work` in one transaction; when that fails, nothing in memory has changed either. */
  #write<T>(work: () => T): T {
    const before = this.#revision;
    this.#overwrittenLeases = [];
    try {
      const result = this.#database.transaction(work);
      this.#heads.settle();
      for (const key of this.#overwrittenLeases) this.#leases.drop(key);
      return result;
    } catch (error) {
      this.#heads.discard();
      this.#revision = before;
      throw storeError(error);
    }
  }

  /** A disk that has no room for this has none for commits either, so its failure shows there; the heads stay in memory until it works. */
  #mergeHeads(): void {
    try {
      this.#database.withoutLimit(() => this.#heads.merge(this.#revision));
    } catch (error) {
      if (!isOrchError(storeError(error))) throw error;
    }
  }

  #commitAlone(request: CommitRequest): CommitOutcome {
    const write = (): CommitOutcome => this.#write(() => this.#commitOne(request));
    try {
      return request.operations.every(({ value }) => value === undefined) ? this.#database.withoutLimit(write) : write();
    } catch (error) {
      return { type: 'failed', error };
    }
  }

  #commitOne({ operations, conditions }: CommitRequest): CommitOutcome {
    const refused = conditions.findIndex((condition) => !this.#holds(condition));
    if (refused >= 0) return { type: 'refused', condition: refused };
    const changes = this.#append(operations);
    return { type: 'committed', revision: this.#revision, idle: changes.length === operations.length ? [] : idlePositions(operations, changes) };
  }

  #holds(condition: Condition): boolean {
    const version = this.#heads.get(condition.key);
    switch (condition.type) {
      case 'absent': return version === undefined;
      case 'unchanged': return version?.revision === condition.modRevision;
      case 'equals': return version !== undefined && this.#reader.value(version) === condition.value;
    }
  }

  /** Writes the versions of one commit; deletions of keys that do not exist are no changes. */
  #append(operations: readonly Operation[]): KeyChange[] {
    const revision = this.#revision + 1;
    const changes: KeyChange[] = [];
    for (const { key, value } of operations) {
      const replaced = this.#heads.get(key);
      if (value === undefined && !replaced) continue;
      const position = changes.length;
      this.#statements.append.run(revision, position, key, value ?? null, replaced?.revision ?? null, replaced?.position ?? null);
      if (this.#leases.holder(key) !== undefined) this.#overwriteLease(key);
      this.#heads.stage(key, value === undefined ? undefined : { revision, position });
      changes.push({ key, value, revision });
    }
    if (changes.length > 0) this.#revision = revision;
    return changes;
  }

  /** Once written by a commit, a leadership key is an ordinary key. */
  #overwriteLease(key: string): void {
    this.#statements.dropLease.run(key);
    this.#overwrittenLeases.push(key);
  }

  #resumeLease(key: string, lease: { ttlMs: number; nowMs: number }): void {
    const version = this.#heads.get(key);
    const holder = version && this.#reader.value(version);
    if (holder !== undefined) this.#leases.grant(key, { holder, ...lease });
  }
}

/** Positions of the operations that are not among the changes; both are in the same order. */
function idlePositions(operations: readonly Operation[], changes: readonly KeyChange[]): number[] {
  const changed = new Set(changes.map(({ key }) => key));
  return operations.flatMap(({ key }, position) => (changed.has(key) ? [] : [position]));
}
