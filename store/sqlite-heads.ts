import { type SqliteDatabase, firstIdSql, idSql, integer, splitIdSql, text } from './sqlite-database.ts';

/** Names one version of a key: the operation at `position` of the commit at `revision`. */
export type VersionId = { readonly revision: number; readonly position: number };

/** Heads kept in memory before they go to the table: written one by one they cost a page each, together and sorted a fraction. */
export const DEFAULT_RECENT_HEADS = 10_000;

/**
 * Which version of each key is the current one: the table `head`, and over it the heads of commits later than `merged`, in memory. A crash loses nothing: those are read back from `data`.
 * Writes are staged until the commit that holds them is durable.
 */
export class SqliteHeads {
  readonly #database: SqliteDatabase;
  readonly #limit: number;
  readonly #recent = new Map<string, VersionId | undefined>();
  readonly #staged = new Map<string, VersionId | undefined>();
  readonly #select;
  readonly #put;
  readonly #delete;

  /** `limit`: heads kept in memory before `isMergeDue`. */
  constructor(database: SqliteDatabase, limit: number) {
    const { db } = database;
    this.#database = database;
    this.#limit = limit;
    this.#select = db.prepare(`SELECT ${splitIdSql('id')} FROM head WHERE key = ?`, { returnArrays: true });
    this.#put = db.prepare(`INSERT INTO head VALUES (?, ${idSql}) ON CONFLICT (key) DO UPDATE SET id = excluded.id`);
    this.#delete = db.prepare('DELETE FROM head WHERE key = ?');
    const later = db.prepare(`SELECT ${splitIdSql('id')}, key, value IS NULL FROM data WHERE id >= ${firstIdSql} ORDER BY id`, { returnArrays: true });
    for (const row of later.iterate(database.meta('merged') + 1)) {
      this.#recent.set(text(row[2]), integer(row[3]) === 1 ? undefined : { revision: integer(row[0]), position: integer(row[1]) });
    }
  }

  /** The current version of `key`, staged ones included; undefined when there is none. */
  get(key: string): VersionId | undefined {
    if (this.#staged.has(key)) return this.#staged.get(key);
    if (this.#recent.has(key)) return this.#recent.get(key);
    const row = this.#select.get(key);
    return row && { revision: integer(row[0]), position: integer(row[1]) };
  }

  /** Durable heads that the table does not have yet. */
  get recent(): ReadonlyMap<string, VersionId | undefined> { return this.#recent; }

  stage(key: string, version: VersionId | undefined): void { this.#staged.set(key, version); }

  /** The staged writes are durable now. */
  settle(): void {
    for (const [key, version] of this.#staged) this.#recent.set(key, version);
    this.#staged.clear();
  }

  /** The staged writes did not happen. */
  discard(): void { this.#staged.clear(); }

  /** True when it is time to `merge`. */
  get isMergeDue(): boolean { return this.#recent.size >= this.#limit; }

  /** Moves the recent heads into the table; `revision` is the newest durable one. */
  merge(revision: number): void {
    if (this.#recent.size === 0) return;
    this.#database.transaction(() => {
      for (const key of [...this.#recent.keys()].toSorted()) {
        const version = this.#recent.get(key);
        if (version) this.#put.run(key, version.revision, version.position);
        else this.#delete.run(key);
      }
      this.#database.setMeta('merged', revision);
    });
    this.#recent.clear();
  }
}
