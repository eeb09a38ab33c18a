import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { OrchError } from '../model/errors.ts';

const SCHEMA_VERSION = 1;
/** Pages written to the log before they are copied into the file: few, large checkpoints cost a third of many small ones. */
const CHECKPOINT_PAGES = 8000;
const PAGE_BYTES = 4096;
const CACHE_KIB = 32_768;
/** SQLite's own limit. */
const UNLIMITED_PAGES = 4_294_967_294;

/**
 * `data` holds every version of every key in the order of commits (id = revision << 20 | position in the commit), `head` says which version of a key is the current one, so that a write appends at the end of one
 * table and touches a small row of the other. `prev` is the version that was replaced; a null value is a deletion.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS data(id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT, prev INTEGER);
  CREATE TABLE IF NOT EXISTS head(key TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lease(key TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL) WITHOUT ROWID;
`;

/** Bits of an id that number the operations of one commit. */
export const POSITION_BITS = 20;
/** SQL for the id of the version written at a revision and position; two parameters. */
export const idSql = `((CAST(? AS INTEGER) << ${POSITION_BITS}) + CAST(? AS INTEGER))`;
/** SQL for the first id of a revision; one parameter. */
export const firstIdSql = `(CAST(? AS INTEGER) << ${POSITION_BITS})`;
/** SQL for revision and position of an id column. */
export const splitIdSql = (column: string): string => `${column} >> ${POSITION_BITS}, ${column} & ${2 ** POSITION_BITS - 1}`;

export type DatabaseOptions = {
  readonly path: string;
  /** The file does not grow beyond this; commits that need more reject with ORCH_NO_SPACE. What makes room, deletions and compaction, may use a little more. */
  readonly maxBytes?: number;
};

/** The database of a backend, whose file nobody else may open for writing meanwhile. */
export class SqliteDatabase implements Disposable {
  readonly db: DatabaseSync;
  readonly #lock: DatabaseSync;
  readonly #maxPages: number;
  readonly #setMeta;
  readonly #getMeta;

  /** Opens or creates the file. Throws ORCH_IN_USE when a process has it open, ORCH_CORRUPT when it is no database of ours, ORCH_UNSUPPORTED when a newer program wrote it. */
  constructor({ path, maxBytes }: DatabaseOptions) {
    this.#maxPages = maxBytes === undefined ? UNLIMITED_PAGES : Math.ceil(maxBytes / PAGE_BYTES);
    using opened = new DisposableStack();
    try {
      this.#lock = opened.use(lockFile(path));
      createPrivate(path);
      this.db = opened.use(new DatabaseSync(path));
      this.db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      this.db.exec(`PRAGMA journal_size_limit = ${2 * CHECKPOINT_PAGES * PAGE_BYTES}`);
      this.db.exec(`BEGIN IMMEDIATE; ${schema} INSERT OR IGNORE INTO meta VALUES ('schema', ${SCHEMA_VERSION}), ('epoch', 1), ('compacted', 0), ('swept', 0), ('merged', 0); COMMIT`);
      this.#limitPages(this.#maxPages);
      this.#getMeta = this.db.prepare('SELECT value FROM meta WHERE name = ?', { returnArrays: true });
      this.#setMeta = this.db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value');
      checkSchema(this.meta('schema'), path);
      opened.move();
    } catch (error) {
      throw storeError(error);
    }
  }

  meta(name: 'schema' | 'epoch' | 'compacted' | 'swept' | 'merged'): number { return integer(this.#getMeta.get(name)?.[0]); }

  setMeta(name: 'epoch' | 'compacted' | 'swept' | 'merged', value: number): void { this.#setMeta.run(name, value); }

  /** Runs `work` between BEGIN and COMMIT; nothing of it remains when it throws. */
  transaction<T>(work: () => T): T {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK'); // SQLite has ended it itself after some errors
      throw error;
    }
  }

  /** Runs `work`, which makes room in the end, with room of its own. */
  withoutLimit<T>(work: () => T): T {
    if (this.#maxPages === UNLIMITED_PAGES) return work();
    this.#limitPages(UNLIMITED_PAGES);
    try {
      return work();
    } finally {
      this.#limitPages(this.#maxPages);
    }
  }

  #limitPages(count: number): void { this.db.exec(`PRAGMA max_page_count = ${count}`); }

  [Symbol.dispose](): void {
    this.db.close();
    this.#lock.close();
  }
}

/** Makes an empty file that only its owner reads, unless there is one; SQLite gives the files beside it the same mode. */
export function createPrivate(path: string): void { closeSync(openSync(path, 'a', 0o600)); }

/** An exclusive lock beside the database, given back by the kernel when the process dies; the database itself stays readable for snapshots. */
function lockFile(path: string): DatabaseSync {
  createPrivate(`${path}.lock`);
  const lock = new DatabaseSync(`${path}.lock`);
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (sqliteCode(error) !== SQLITE_BUSY) throw storeError(error);
    throw new OrchError('ORCH_IN_USE', `Store ${path} is in use by another process`, { cause: error, hint: 'Stop the other orch daemon with this data directory' });
  }
}

function checkSchema(version: number, path: string): void {
  if (version === SCHEMA_VERSION) return;
  throw new OrchError('ORCH_UNSUPPORTED', `Store ${path} has schema version ${version}, this program knows ${SCHEMA_VERSION}`, { hint: 'It was written by a newer orch: upgrade this manager' });
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** SQLite's primary result code of an error; undefined when it is not SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** What a failure of SQLite means to the callers of a store. */
export function storeError(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === undefined || !(error instanceof Error)) return error;
  const cause = { cause: error };
  switch (code) {
    case SQLITE_FULL: return new OrchError('ORCH_NO_SPACE', 'The store has no space left; nothing of this write was kept', { ...cause, hint: 'Free space on the disk of the data directory' });
    case SQLITE_CORRUPT: case SQLITE_NOTADB: return new OrchError('ORCH_CORRUPT', `The store's file is damaged: ${error.message}`, { ...cause, hint: 'Restore a snapshot' });
    case SQLITE_BUSY: return new OrchError('ORCH_IN_USE', 'The store is in use by another process', cause);
    default: return new OrchError('ORCH_INTERNAL', `The store cannot use its file: ${error.message}`, { ...cause, hint: 'Check the disk of the data directory', details: { sqlite: code } });
  }
}

/** A column that holds a whole number. */
export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw new OrchError('ORCH_CORRUPT', `The store's file is damaged: a number is ${typeof value}`);
  return value;
}

/** A column that holds text. */
export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new OrchError('ORCH_CORRUPT', `The store's file is damaged: a text is ${typeof value}`);
  return value;
}
