import type { Cluster } from '../model/cluster.ts';
import type { BlockedNode, Node } from '../model/node.ts';
import type { Network } from '../model/network.ts';
import type { Revision, Service } from '../model/service.ts';
import type { Task } from '../model/task.ts';
import type { StoreRevision } from './backend.ts';

/** Every stored kind and its type. */
export type Kinds = { cluster: Cluster; node: Node; blockedNode: BlockedNode; service: Service; revision: Revision; task: Task; network: Network };
export type Kind = keyof Kinds;

/** Secondary indexes of each kind: index name → key of an object in it (undefined: not in it). `name` is unique and enforced by the store. */
export type IndexNames = {
  cluster: never; node: never; blockedNode: never;
  service: 'name'; revision: 'service'; task: 'service' | 'node' | 'revision'; network: 'name';
};

export interface ReadTable<K extends Kind> {
  get(id: string): Kinds[K] | undefined;
  /** All objects, in no promised order; not a copy: do not hold it across an await. */
  list(): Iterable<Kinds[K]>;
  by(index: IndexNames[K], key: string): readonly Kinds[K][];
  readonly count: number;
}

export type NewObject<K extends Kind> = Omit<Kinds[K], 'version' | 'createdAtMs' | 'updatedAtMs'>;

export interface WriteTable<K extends Kind> extends ReadTable<K> {
  /** Adds an object under a new id. The store sets version 1 and the times. Throws ORCH_NAME_TAKEN for a taken name, ORCH_CONFLICT for a taken id. */
  create(object: NewObject<K>): Kinds[K];
  /**
   * Replaces the object; returns it with its new version.
   * Throws ORCH_CONFLICT when `object.version` is not the stored one (a stale copy), ORCH_NOT_FOUND when there is none, ORCH_NAME_TAKEN for a taken name.
   */
  update(object: Kinds[K]): Kinds[K];
  /** Removes the object; does nothing when there is none. */
  delete(id: string): void;
}

/** A consistent snapshot as of `at`; objects are immutable and shared, never copies. */
export type View = { readonly at: StoreRevision } & { readonly [K in Kind]: ReadTable<K> };
export type Tx = { readonly at: StoreRevision } & { readonly [K in Kind]: WriteTable<K> };

export type Change<K extends Kind = Kind> = { [P in K]: { readonly kind: P; readonly id: string; readonly before: Kinds[P] | undefined; readonly after: Kinds[P] | undefined } }[K];

export type ChangeBatch = { readonly revision: StoreRevision; readonly changes: readonly Change[] };

/** Proof of leadership; a commit under it fails once somebody else leads. */
export type Fence = { readonly key: string; readonly holder: string };

export interface Store extends AsyncDisposable {
  readonly revision: StoreRevision;
  /** Reads the in-memory mirror, synchronously. */
  view<T>(read: (view: View) => T): T;
  /**
   * Runs `write` (synchronous, may run again after a conflict with another writer) and commits what it did, all or nothing. Resolves with its result once that is durable and visible in `view`.
   * What `write` only reads may be changed by others before its commit; what it writes may not.
   * Rejects with what `write` throws; with ORCH_NAME_TAKEN for a taken name; with ORCH_CONFLICT when the fence does not hold.
   */
  update<T>(write: (tx: Tx) => T, options?: { fence?: Fence }): Promise<T>;
  /** Calls `listener` after every commit, in order, synchronously with its becoming visible in `view`; until disposed. The listener must not throw or wait. */
  subscribe(listener: (batch: ChangeBatch) => void): Disposable;
  /** Every batch after `from` (default: now), none missing; listening starts with the call. Throws ORCH_CONFLICT when `from` is of another epoch or compacted: list again. */
  watch(options: { from?: StoreRevision; signal: AbortSignal }): AsyncIterable<ChangeBatch>;
  /** See StoreBackend.campaign and resign. */
  campaign(fence: Fence, ttlMs: number): Promise<boolean>;
  resign(fence: Fence): Promise<void>;
  /** Forgets history up to `revision`. */
  compact(revision: number): Promise<void>;
}
