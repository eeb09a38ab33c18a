import type { Clock } from '../base/clock.ts';
import { readTextIfExists, writeFileAtomic } from '../base/files.ts';
import { OrchError } from '../model/errors.ts';
import type { CommitChanges, CommitResult, Condition, Entry, KeyChange, Operation, StoreBackend } from './backend.ts';
import { checkCommit, closedError, compactedError, prefixEnd } from './commit-check.ts';
import { Leases } from './leases.ts';
import { WatchFeed } from './watch-feed.ts';

/** One commit with what it replaced, so that older revisions can be read. */
type LoggedCommit = CommitChanges & { readonly replaced: readonly (Entry | undefined)[] };

type Contents = { readonly epoch: number; readonly revision: number; readonly entries: readonly Entry[] };

const REPLAY_PAGE = 1000;

/** A backend that lives in this process; for tests. Its snapshots are JSON files. */
export class MemoryBackend implements StoreBackend {
  readonly epoch: number;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Leases();
  readonly #feed: WatchFeed;
  #log: LoggedCommit[] = [];
  #sortedKeys: readonly string[] | undefined;
  #revision: number;
  #compacted: number;
  #closed = false;

  constructor(clock: Clock, contents: Contents = { epoch: 1, revision: 0, entries: [] }) {
    this.epoch = contents.epoch;
    this.#clock = clock;
    this.#revision = contents.revision;
    this.#compacted = contents.revision;
    for (const entry of contents.entries) this.#entries.set(entry.key, entry);
    this.#feed = new WatchFeed(contents.revision, (after, upTo) => Promise.resolve().then(() => this.#replay(after, upTo)));
  }

  async range(prefix: string, options: { atRevision?: number; limit?: number; afterKey?: string } = {}): Promise<{ revision: number; entries: Entry[] }> {
    this.#begin();
    const revision = options.atRevision ?? this.#revision;
    if (revision > this.#revision) throw new OrchError('ORCH_INVALID', `Revision ${revision} is in the future: the newest is ${this.#revision}`);
    if (revision < this.#compacted) throw compactedError(revision, this.#compacted);
    const replaced = this.#replacedSince(revision);
    const keys = replaced.size === 0 ? this.#keys() : [...new Set([...this.#keys(), ...replaced.keys()])].toSorted(compareKeys);
    const entries: Entry[] = [];
    const end = prefixEnd(prefix);
    for (const key of keys.slice(firstAfter(keys, options.afterKey, prefix))) {
      if (key >= end || entries.length === (options.limit ?? Infinity)) break;
      const entry = replaced.has(key) ? replaced.get(key) : this.#entries.get(key);
      if (entry) entries.push(entry);
    }
    return { revision, entries };
  }

  async commit(operations: readonly Operation[], conditions: readonly Condition[]): Promise<CommitResult> {
    checkCommit(operations, conditions);
    this.#begin();
    const failed = conditions.find((condition) => !this.#holds(condition));
    if (failed) return { ok: false, failed };
    for (const { key } of operations) this.#leases.drop(key);
    const effective = operations.filter(({ key, value }) => value !== undefined || this.#entries.has(key));
    if (effective.length > 0) this.#apply(effective);
    return { ok: true, revision: this.#revision };
  }

  watch(afterRevision: number, signal: AbortSignal): AsyncIterable<CommitChanges> {
    return this.#feed.watch(afterRevision, signal);
  }

  async compact(revision: number): Promise<void> {
    this.#begin();
    if (revision > this.#revision) throw new OrchError('ORCH_INVALID', `Revision ${revision} is in the future: the newest is ${this.#revision}`);
    if (revision <= this.#compacted) return;
    this.#compacted = revision;
    this.#log = this.#log.filter((commit) => commit.revision > revision);
  }

  async snapshot(path: string): Promise<void> {
    this.#begin();
    if (await readTextIfExists(path) !== undefined) throw new OrchError('ORCH_CONFLICT', `Snapshot file ${path} already exists`);
    const entries = this.#keys().flatMap((key) => (this.#leases.holder(key) === undefined ? this.#entries.get(key) ?? [] : []));
    const contents: Contents = { epoch: this.epoch, revision: this.#revision, entries };
    await writeFileAtomic(path, JSON.stringify(contents));
  }

  async campaign(key: string, holder: string, ttlMs: number): Promise<boolean> {
    checkCommit([{ key, value: holder }], []);
    this.#begin();
    const current = this.#entries.get(key)?.value;
    if (current !== undefined && (current !== holder || this.#leases.holder(key) !== holder)) return false;
    if (current === undefined) this.#apply([{ key, value: holder }]);
    this.#leases.grant(key, { holder, ttlMs, nowMs: this.#clock.monotonic() });
    return true;
  }

  async resign(key: string, holder: string): Promise<void> {
    this.#begin();
    if (this.#leases.holder(key) !== holder) return;
    this.#leases.drop(key);
    this.#apply([{ key, value: undefined }]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#feed.close();
  }

  /** What every call does first: leadership keys that have run out are gone before anything else happens. */
  #begin(): void {
    if (this.#closed) throw closedError();
    const expired = this.#leases.expired(this.#clock.monotonic());
    if (expired.length === 0) return;
    for (const key of expired) this.#leases.drop(key);
    this.#apply(expired.map((key) => ({ key, value: undefined })));
  }

  #holds(condition: Condition): boolean {
    const entry = this.#entries.get(condition.key);
    switch (condition.type) {
      case 'absent': return entry === undefined;
      case 'unchanged': return entry?.modRevision === condition.modRevision;
      case 'equals': return entry?.value === condition.value;
    }
  }

  #apply(operations: readonly Operation[]): void {
    const revision = this.#revision + 1;
    const replaced = operations.map(({ key }) => this.#entries.get(key));
    for (const { key, value } of operations) {
      if (value === undefined ? this.#entries.delete(key) : !this.#entries.has(key)) this.#sortedKeys = undefined;
      if (value !== undefined) this.#entries.set(key, { key, value, modRevision: revision });
    }
    this.#revision = revision;
    const changes: readonly KeyChange[] = operations.map(({ key, value }) => ({ key, value, revision }));
    this.#log.push({ revision, changes, replaced });
    this.#feed.publish({ revision, changes });
  }

  #replay(after: number, upTo: number): readonly CommitChanges[] {
    if (after < this.#compacted) throw compactedError(after, this.#compacted);
    const from = after - this.#compacted;
    return this.#log.slice(from, Math.min(from + REPLAY_PAGE, upTo - this.#compacted)).map(({ revision, changes }) => ({ revision, changes }));
  }

  /** For every key changed after `revision`: its entry at that revision. */
  #replacedSince(revision: number): Map<string, Entry | undefined> {
    const replaced = new Map<string, Entry | undefined>();
    for (const commit of this.#log.slice(revision - this.#compacted).reverse()) {
      commit.changes.forEach(({ key }, index) => replaced.set(key, commit.replaced[index]));
    }
    return replaced;
  }

  #keys(): readonly string[] {
    this.#sortedKeys ??= [...this.#entries.keys()].toSorted(compareKeys);
    return this.#sortedKeys;
  }
}

/** A backend with the contents of a snapshot, under a new epoch. Throws ORCH_NOT_FOUND when there is no such file. */
export async function restoreMemoryBackend(clock: Clock, snapshotPath: string): Promise<MemoryBackend> {
  const text = await readTextIfExists(snapshotPath);
  if (text === undefined) throw new OrchError('ORCH_NOT_FOUND', `There is no snapshot at ${snapshotPath}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by MemoryBackend.snapshot
  const contents = JSON.parse(text) as Contents;
  return new MemoryBackend(clock, { ...contents, epoch: Math.max(contents.epoch + 1, clock.now()) });
}

const compareKeys = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Position of the first of the sorted `keys` that starts with `prefix` or sorts later, and comes after `afterKey`. */
function firstAfter(keys: readonly string[], afterKey: string | undefined, prefix: string): number {
  const isBefore = (key: string): boolean => key < prefix || (afterKey !== undefined && key <= afterKey);
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(keys[middle] ?? '')) low = middle + 1;
    else high = middle;
  }
  return low;
}
