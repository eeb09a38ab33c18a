import type { NodeId, RevisionId, ServiceId, TaskId } from '../model/meta.ts';
import type { Node } from '../model/node.ts';
import type { Revision } from '../model/service.ts';
import type { Task } from '../model/task.ts';
import { isEnded, isWanted, taskStateRank } from '../model/task.ts';
import { CandidateIndex } from './candidate-index.ts';
import type { PendingWork } from './decision.ts';
import type { Explanation } from './explanation.ts';
import type { NodeEntry } from './node-table.ts';
import { decrement, NodeTable } from './node-table.ts';
import type { QueueEntry } from './pending-queue.ts';
import { NOT_QUEUED, PendingQueue } from './pending-queue.ts';
import { RecentFailures } from './recent-failures.ts';
import type { Requirements } from './requirements.ts';
import { requirementsOf } from './requirements.ts';

/** A task that waits for a node or has one. */
type TaskRecord = QueueEntry & {
  /** True while the task itself says that it waits for a node; a placement that is not committed yet does not change that. */
  isWaiting: boolean;
  /** Where it holds resources. */
  entry: NodeEntry | undefined;
  /** Set from a placement until the task is seen assigned. */
  isTentative: boolean;
  /** False once the task is only waited for to stop. */
  isCounted: boolean;
  /** Of what it holds; missing until the revision is known. */
  requirements: Requirements | undefined;
};

/** So many indexes are kept however many nodes there are. */
const MIN_INDEXES = 8;

/**
 * The scheduler's mirror of nodes, revisions and tasks, fed in any order with what the store has; each call costs the same however large the cluster.
 * Counts a placement as soon as `schedule` makes it, so that the next decision sees it; `rollback` is for placements that could not be committed.
 */
export class SchedulerState {
  readonly table = new NodeTable();
  readonly failures = new RecentFailures();
  readonly #requirements = new Map<RevisionId, Requirements>();
  readonly #tasks = new Map<TaskId, TaskRecord>();
  readonly #withoutRequirements = new Map<RevisionId, Set<TaskRecord>>();
  readonly #serviceCounts = new Map<ServiceId, Map<number, number>>();
  readonly #maxIndexSize: number;
  readonly #pending = new PendingQueue();
  readonly #stuck = new Map<RevisionId, { readonly improvements: number; readonly explanation: Explanation }>();
  readonly #indexes = new Map<string, CandidateIndex>();

  /** `maxIndexSize` bounds memory: nodes times distinct sets of rules for which an index is kept, about 24 bytes each. */
  constructor({ maxIndexSize = 4_000_000 }: { readonly maxIndexSize?: number } = {}) {
    this.#maxIndexSize = maxIndexSize;
  }

  upsertNode(node: Node): void {
    this.table.upsert(node);
  }

  /** Forgets the node. Its tasks go on counting, for their service, until they end or are removed. */
  removeNode(id: NodeId): void {
    this.table.remove(id);
    this.failures.removeNode(id);
  }

  /** Revisions are immutable: only the first of an id is read. */
  upsertRevision(revision: Revision): void {
    if (this.#requirements.has(revision.id)) return;
    const requirements = requirementsOf(revision);
    this.#requirements.set(revision.id, requirements);
    for (const record of this.#withoutRequirements.get(revision.id) ?? []) {
      record.requirements = requirements;
      if (record.entry) this.table.holdMore(record.entry, requirements);
    }
    this.#withoutRequirements.delete(revision.id);
  }

  removeRevision(id: RevisionId): void {
    const serviceId = this.#requirements.get(id)?.serviceId ?? '';
    if (this.#serviceCounts.get(serviceId)?.size === 0) this.#serviceCounts.delete(serviceId);
    this.#requirements.delete(id);
    this.#stuck.delete(id);
    this.failures.removeRevision(id);
  }

  /** Takes in a task as it now is. A task holds resources from `assigned` until it has ended, and counts as long as it is wanted. */
  upsertTask(task: Task): void {
    const { id, revisionId, nodeId, status } = task;
    if (nodeId !== undefined && (status.state === 'failed' || status.state === 'rejected')) this.failures.add({ taskId: id, revisionId, nodeId, atMs: status.atMs });
    if (isEnded(status.state)) {
      this.removeTask(id);
      return;
    }
    const isAssigned = nodeId !== undefined && taskStateRank(status.state) >= taskStateRank('assigned');
    const record = this.#tasks.get(id) ?? this.#newRecord({ id, serviceId: task.serviceId, revisionId, onlyNodeId: isAssigned ? undefined : nodeId });
    record.isWaiting = isWanted(task.desired) && status.state === 'pending';
    if (isAssigned) this.#assign(record, nodeId, { isCounted: isWanted(task.desired) });
    else if (!record.isTentative) this.#release(record);
    this.#settle(record);
  }

  removeTask(id: TaskId): void {
    const record = this.#tasks.get(id);
    if (!record) return;
    record.isWaiting = false;
    this.#release(record);
    this.#settle(record);
  }

  /** Tasks in state `pending` that are wanted and that no placement has been made for. */
  pendingWork(): PendingWork {
    return this.#pending.work();
  }

  /** What a revision asks of nodes; undefined when it is not known. */
  requirements(id: RevisionId): Requirements | undefined {
    return this.#requirements.get(id);
  }

  /** Tasks of a service by slot of their node. */
  serviceCounts(id: ServiceId): ReadonlyMap<number, number> {
    return this.#countsOf(id);
  }

  /** The up-to-date index of nodes for the revision; shared by revisions with the same rules and spread. */
  index(requirements: Requirements): CandidateIndex {
    const { indexKey } = requirements;
    const index = this.#indexes.get(indexKey) ?? this.#newIndex(requirements);
    this.#indexes.delete(indexKey);
    this.#indexes.set(indexKey, index);
    index.catchUp();
    return index;
  }

  /** Why no node had room for the revision, while nothing has happened since that could have made some. (Nodes may by now fail an earlier filter too.) */
  stuck(id: RevisionId): Explanation | undefined {
    const stuck = this.#stuck.get(id);
    return stuck?.improvements === this.table.improvements ? stuck.explanation : undefined;
  }

  /** Remembers that no node has room for the revision now. */
  setStuck(id: RevisionId, explanation: Explanation): void {
    this.#stuck.set(id, { improvements: this.table.improvements, explanation });
  }

  /** Counts a task on a node ahead of its being committed. */
  place(taskId: TaskId, requirements: Requirements, entry: NodeEntry): void {
    const record = this.#tasks.get(taskId) ?? this.#newRecord({ id: taskId, serviceId: requirements.serviceId, revisionId: requirements.revisionId, onlyNodeId: undefined });
    this.#release(record);
    this.#hold(record, entry, requirements);
    record.isTentative = true;
    this.#count(record, entry);
    this.#settle(record);
  }

  /** Takes placements back whose commit failed. Tasks that still wait are in `pendingWork` again; tasks seen assigned meanwhile are left as they are. */
  rollback(taskIds: Iterable<TaskId>): void {
    for (const id of taskIds) {
      const record = this.#tasks.get(id);
      if (!record?.isTentative) continue;
      this.#release(record);
      this.#settle(record);
    }
  }

  /** An index for the requirements, which takes the place of the one not used for longest when there are too many. */
  #newIndex(requirements: Requirements): CandidateIndex {
    const limit = Math.max(MIN_INDEXES, this.#maxIndexSize / (this.table.capacity + 1));
    const [oldest] = this.#indexes.size >= limit ? this.#indexes : [];
    if (oldest) this.#indexes.delete(oldest[0]);
    const index = oldest?.[1] ?? new CandidateIndex(this.table);
    index.reassign(requirements);
    return index;
  }

  #newRecord({ id, serviceId, revisionId, onlyNodeId }: Omit<QueueEntry, 'position'>): TaskRecord {
    const record: TaskRecord = {
      id, serviceId, revisionId, onlyNodeId, position: NOT_QUEUED, isWaiting: false, entry: undefined, isTentative: false, isCounted: false, requirements: undefined,
    };
    this.#tasks.set(id, record);
    return record;
  }

  /** Queues the task when it waits and has no node; forgets it when it does neither. */
  #settle(record: TaskRecord): void {
    const isToBeQueued = record.isWaiting && record.entry === undefined;
    const isQueued = record.position !== NOT_QUEUED;
    if (isToBeQueued && !isQueued) this.#pending.add(record);
    if (isQueued && !isToBeQueued) this.#pending.delete(record);
    if (!isToBeQueued && record.entry === undefined) this.#tasks.delete(record.id);
  }

  #assign(record: TaskRecord, nodeId: NodeId, { isCounted }: { readonly isCounted: boolean }): void {
    if (record.entry?.id !== nodeId) this.#release(record);
    const entry = record.entry ?? this.table.findOrAdd(nodeId);
    if (record.entry === undefined) this.#hold(record, entry, this.#requirements.get(record.revisionId));
    record.isTentative = false;
    if (isCounted) this.#count(record, entry);
    else this.#uncount(record, entry);
  }

  #hold(record: TaskRecord, entry: NodeEntry, requirements: Requirements | undefined): void {
    record.entry = entry;
    record.requirements = requirements;
    this.table.hold(entry, requirements);
    if (!requirements) this.#withoutRequirements.getOrInsertComputed(record.revisionId, () => new Set<TaskRecord>()).add(record);
  }

  #release(record: TaskRecord): void {
    const { entry } = record;
    if (!entry) return;
    this.#uncount(record, entry);
    if (!record.requirements) this.#withoutRequirements.get(record.revisionId)?.delete(record);
    this.table.release(entry, record.requirements);
    record.entry = undefined;
    record.isTentative = false;
  }

  #count(record: TaskRecord, entry: NodeEntry): void {
    if (record.isCounted) return;
    record.isCounted = true;
    this.table.count(entry, 1);
    const counts = this.#countsOf(record.serviceId);
    counts.set(entry.slot, (counts.get(entry.slot) ?? 0) + 1);
  }

  #uncount(record: TaskRecord, entry: NodeEntry): void {
    if (!record.isCounted) return;
    record.isCounted = false;
    this.table.count(entry, -1);
    const counts = this.#countsOf(record.serviceId);
    decrement(counts, entry.slot);
    if (counts.size === 0) this.#serviceCounts.delete(record.serviceId);
  }

  #countsOf(id: ServiceId): Map<number, number> {
    const known = this.#serviceCounts.get(id);
    if (known) return known;
    const counts = new Map<number, number>();
    this.#serviceCounts.set(id, counts);
    return counts;
  }
}
