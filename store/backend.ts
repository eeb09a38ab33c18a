/** A point in a store's history. Revisions of different epochs cannot be compared: an epoch change means list again. */
export type StoreRevision = { readonly epoch: number; readonly revision: number };

/** One key's value at some revision; values are text (JSON of one object with its kind and schema version). */
export type Entry = { readonly key: string; readonly value: string; readonly modRevision: number };

/** `value` undefined deletes the key. A key may occur once in a commit. */
export type Operation = { readonly key: string; readonly value: string | undefined };

/** Must hold for a commit to happen: the key is absent, or was last written at `modRevision`. */
export type Condition =
  | { readonly type: 'absent'; readonly key: string }
  | { readonly type: 'unchanged'; readonly key: string; readonly modRevision: number }
  | { readonly type: 'equals'; readonly key: string; readonly value: string };

export type CommitResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly failed: Condition };

/** One key's change; `value` undefined when it was deleted. */
export type KeyChange = { readonly key: string; readonly value: string | undefined; readonly revision: number };

/** All changes of one commit, in the order of revisions and without gaps. */
export type CommitChanges = { readonly revision: number; readonly changes: readonly KeyChange[] };

/** The seam under the store: an ordered map of text with revisions. One contract suite runs against every backend. */
export interface StoreBackend extends AsyncDisposable {
  /** Identity of this history; changes when the data moves to another backend or is restored. */
  readonly epoch: number;
  /** Reads keys that start with `prefix`, in key order, all at one revision (now, or `atRevision` where history allows). */
  range(prefix: string, options?: { atRevision?: number; limit?: number; afterKey?: string }): Promise<{ revision: number; entries: Entry[] }>;
  /** Applies all operations or none; resolves once they are durable. Rejects on malformed input (a key twice). */
  commit(operations: readonly Operation[], conditions: readonly Condition[]): Promise<CommitResult>;
  /**
   * Every commit after `afterRevision` in order, none missing, none twice; ends when aborted. The listening starts when this is called, not at the first `next()`.
   * Throws OrchError ORCH_CONFLICT (compacted) when that revision's history is gone: list again.
   */
  watch(afterRevision: number, signal: AbortSignal): AsyncIterable<CommitChanges>;
  /** Forgets history at and before `revision`; current values stay. */
  compact(revision: number): Promise<void>;
  /** Writes a copy of everything to a new file. */
  snapshot(path: string): Promise<void>;
  /** Tries to take the leadership key for `ttlMs` under `holder`; true when held (also when it already was by the same holder, which extends it). Time comes from the backend's clock. */
  campaign(key: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Gives the key up when `holder` has it. */
  resign(key: string, holder: string): Promise<void>;
}
