import type { CommitChanges, Entry, KeyChange } from './backend.ts';
import { OrchError } from '../model/errors.ts';
import { compactedError, prefixEnd } from './commit-check.ts';
import { type SqliteDatabase, firstIdSql, idSql, integer, splitIdSql, text } from './sqlite-database.ts';
import type { SqliteHeads, VersionId } from './sqlite-heads.ts';

export type RangeQuery = { readonly prefix: string; readonly atRevision: number | undefined; readonly limit: number | undefined; readonly afterKey: string | undefined };
export type ReplayQuery = { readonly after: number; readonly upTo: number };
/** Where the store's history stands. */
export type Bounds = { readonly revision: number; readonly compacted: number };

/** Keys changed in a page of replay. A larger single commit is one page. */
const REPLAY_CHANGES = 2000;

/** Reads of a SQLite backend, at the newest revision or an older one. */
export class SqliteReader {
  readonly #heads: SqliteHeads;
  readonly #selectRange;
  readonly #selectVersion;
  readonly #selectReplaced;
  readonly #selectChanges;

  constructor({ db }: SqliteDatabase, heads: SqliteHeads) {
    const arrays = { returnArrays: true };
    this.#heads = heads;
    this.#selectRange = db.prepare('SELECT head.key, data.value, data.id >> 20 FROM head JOIN data ON data.id = head.id WHERE head.key >= ? AND head.key < ? ORDER BY head.key', arrays);
    this.#selectVersion = db.prepare(`SELECT value FROM data WHERE id = ${idSql}`, arrays);
    this.#selectReplaced = db.prepare(`SELECT key, ${splitIdSql('prev')} FROM data WHERE id >= ${firstIdSql} AND key >= ? AND key < ? ORDER BY id DESC`, arrays);
    this.#selectChanges = db.prepare(`SELECT id >> 20, key, value FROM data WHERE id >= ${firstIdSql} AND id < ${firstIdSql} ORDER BY id`, arrays);
  }

  /** The text of one version; undefined for a deletion. */
  value({ revision, position }: VersionId): string | undefined {
    const value = this.#selectVersion.get(revision, position)?.[0];
    return typeof value === 'string' ? value : undefined;
  }

  /** See StoreBackend.range. */
  range(query: RangeQuery, bounds: Bounds): { revision: number; entries: Entry[] } {
    const { prefix, limit = Infinity } = query;
    const revision = query.atRevision ?? bounds.revision;
    if (revision > bounds.revision) throw new OrchError('ORCH_INVALID', `Revision ${revision} is in the future: the newest is ${bounds.revision}`);
    if (revision < bounds.compacted) throw compactedError(revision, bounds.compacted);
    const overlay = this.#overlay(prefix, revision, bounds);
    const start = startKey(query);
    const overlaid = [...overlay.keys()].filter((key) => key >= start).toSorted();
    const entries: Entry[] = [];
    let next = 0;
    const takeOverlaidBefore = (end: string): void => {
      for (let key = overlaid[next]; key !== undefined && key < end && entries.length < limit; key = overlaid[next += 1]) {
        const version = overlay.get(key);
        if (version) entries.push({ key, value: this.value(version) ?? '', modRevision: version.revision });
      }
    };
    for (const row of this.#selectRange.iterate(start, prefixEnd(prefix))) {
      const key = text(row[0]);
      takeOverlaidBefore(key);
      if (entries.length >= limit) break;
      if (!overlay.has(key)) entries.push({ key, value: text(row[1]), modRevision: integer(row[2]) });
    }
    takeOverlaidBefore(prefixEnd(prefix));
    return { revision, entries };
  }

  /** Commits in (`after`, `upTo`], oldest first: at least one when there are any, not all when they are many. */
  replay({ after, upTo }: ReplayQuery, { compacted }: Bounds): CommitChanges[] {
    if (after < compacted) throw compactedError(after, compacted);
    const commits: CommitChanges[] = [];
    let changes: KeyChange[] = [];
    let count = 0;
    for (const row of this.#selectChanges.iterate(after + 1, upTo + 1)) {
      const revision = integer(row[0]);
      if (revision !== commits.at(-1)?.revision) {
        if (count >= REPLAY_CHANGES) break;
        changes = [];
        commits.push({ revision, changes });
      }
      changes.push({ key: text(row[1]), value: row[2] === null ? undefined : text(row[2]), revision });
      count += 1;
    }
    return commits;
  }

  /** Versions of keys that the table of heads does not know, or that were others at `revision`. */
  #overlay(prefix: string, revision: number, bounds: Bounds): Map<string, VersionId | undefined> {
    const overlay = new Map<string, VersionId | undefined>();
    for (const [key, version] of this.#heads.recent) if (key.startsWith(prefix)) overlay.set(key, version);
    if (revision === bounds.revision) return overlay;
    for (const row of this.#selectReplaced.iterate(revision + 1, prefix, prefixEnd(prefix))) {
      overlay.set(text(row[0]), row[1] === null ? undefined : { revision: integer(row[1]), position: integer(row[2]) });
    }
    return overlay;
  }
}

/** The first key that may be in the answer; `!` is the lowest character of keys. */
function startKey({ prefix, afterKey }: RangeQuery): string {
  return afterKey === undefined || afterKey < prefix ? prefix : `${afterKey}!`;
}
