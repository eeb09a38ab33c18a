import type { NodeId, RevisionId, ServiceId, TaskId } from '../model/meta.ts';
import type { Node } from '../model/node.ts';
import type { Revision } from '../model/service.ts';
import type { Task } from '../model/task.ts';
import { desiredStateRank, isEnded, taskStateRank } from '../model/task.ts';
import { CandidateIndex } from './candidate-index.ts';
import type { PendingWork } from './decision.ts';
import type { Explanation } from './explanation.ts';
import type { NodeEntry } from './node-table.ts';
import { decrement, NodeTable } from './node-table.ts';
import type { PendingTask } from './pending-queue.ts';
import { PendingQueue } from './pending-queue.ts';
import { RecentFailures } from './recent-failures.ts';
import type { Requirements } from './requirements.ts';
import { requirementsOf } from './requirements.ts';

/** What one task has of its node. */
type Holding = {
  readonly entry: NodeEntry;
  readonly serviceId: ServiceId;
  readonly revisionId: RevisionId;
  /** Missing until the revision is known. */
  requirements: Requirements | undefined;
  /** False once the task is only waited for to stop. */
  isCounted: boolean;
  /** Set from a placement until the task is seen assigned: what waits again after a rollback, or `gone` when nothing does. */
  tentative: PendingTask | 'gone' | undefined;
};

/** Index entries (nodes times distinct sets of rules) kept at a time; about 24 bytes each. */
const MAX_INDEX_SIZE = 4_000_000;
const MIN_INDEXES = 8;

/**
 * The scheduler's mirror of nodes, revisions and tasks, fed in any order with what the store has; each call costs the same however large the cluster.
 * Counts a placement as soon as `schedule` makes it, so that the next decision sees it; `rollback` is for placements that could not be committed.
 */
export class SchedulerState {
  readonly table = new NodeTable();
  readonly failures = new RecentFailures();
  readonly #requirements = new Map<RevisionId, Requirements>();
  readonly #holdings = new Map<TaskId, Holding>();
  readonly #withoutRequirements = new Map<RevisionId, Set<Holding>>();
  readonly #serviceCounts = new Map<ServiceId, Map<number, number>>();
  readonly #pending = new PendingQueue();
  readonly #stuck = new Map<RevisionId, { readonly improvements: number; readonly explanation: Explanation }>();
  readonly #indexes = new Map<string, CandidateIndex>();

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
    for (const holding of this.#withoutRequirements.get(revision.id) ?? []) {
      holding.requirements = requirements;
      this.table.holdMore(holding.entry, requirements);
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
    const { state, atMs } = task.status;
    const holding = this.#holdings.get(task.id);
    if (task.nodeId !== undefined && taskStateRank(state) >= taskStateRank('assigned') && !isEnded(state)) this.#hold(task, task.nodeId);
    else if (holding && (holding.tentative === undefined || isEnded(state))) this.#release(task.id, holding);
    if (task.nodeId !== undefined && (state === 'failed' || state === 'rejected')) this.failures.add({ taskId: task.id, revisionId: task.revisionId, nodeId: task.nodeId, atMs });
    this.#noteIfPending(task);
  }

  removeTask(id: TaskId): void {
    const holding = this.#holdings.get(id);
    if (holding) this.#release(id, holding);
    this.#pending.delete(id);
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
    return this.#serviceCounts.getOrInsertComputed(id, () => new Map<number, number>());
  }

  /** The up-to-date index of nodes for the revision; shared by revisions with the same rules and spread. */
  index(requirements: Requirements): CandidateIndex {
    const index = this.#indexes.get(requirements.indexKey) ?? new CandidateIndex(requirements);
    this.#indexes.delete(requirements.indexKey);
    this.#indexes.set(requirements.indexKey, index);
    const limit = Math.max(MIN_INDEXES, MAX_INDEX_SIZE / (this.table.capacity + 1));
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size <= limit) break;
      this.#indexes.delete(oldest);
    }
    index.catchUp(this.table);
    return index;
  }

  /** Why no node had room for the revision, while nothing has happened since that could have made some. */
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
    const { serviceId, revisionId } = requirements;
    const tentative = this.#pending.delete(taskId) ?? 'gone';
    this.table.hold(entry, requirements);
    const holding: Holding = { entry, serviceId, revisionId, requirements, isCounted: false, tentative };
    this.#holdings.set(taskId, holding);
    this.#setCounted(holding, { isCounted: true });
  }

  /** Takes placements back whose commit failed. Tasks that still wait are in `pendingWork` again; tasks seen assigned meanwhile are left as they are. */
  rollback(taskIds: Iterable<TaskId>): void {
    for (const id of taskIds) {
      const holding = this.#holdings.get(id);
      if (holding?.tentative === undefined) continue;
      this.#release(id, holding);
      if (holding.tentative !== 'gone') this.#pending.add(holding.tentative);
    }
  }

  #hold(task: Task, nodeId: NodeId): void {
    const isCounted = desiredStateRank(task.desired) <= desiredStateRank('complete');
    let holding = this.#holdings.get(task.id);
    if (holding && holding.entry.id !== nodeId) {
      this.#release(task.id, holding);
      holding = undefined;
    }
    holding ??= this.#newHolding(task, nodeId);
    holding.tentative = undefined;
    this.#setCounted(holding, { isCounted });
  }

  #newHolding({ id, serviceId, revisionId }: Task, nodeId: NodeId): Holding {
    const requirements = this.#requirements.get(revisionId);
    const entry = this.table.findOrAdd(nodeId);
    this.table.hold(entry, requirements);
    const holding: Holding = { entry, serviceId, revisionId, requirements, isCounted: false, tentative: undefined };
    this.#holdings.set(id, holding);
    if (!requirements) this.#withoutRequirements.getOrInsertComputed(revisionId, () => new Set<Holding>()).add(holding);
    return holding;
  }

  #release(taskId: TaskId, holding: Holding): void {
    this.#setCounted(holding, { isCounted: false });
    this.#holdings.delete(taskId);
    this.#withoutRequirements.get(holding.revisionId)?.delete(holding);
    this.table.release(holding.entry, holding.requirements);
  }

  #setCounted(holding: Holding, { isCounted }: { isCounted: boolean }): void {
    if (holding.isCounted === isCounted) return;
    holding.isCounted = isCounted;
    const { entry, serviceId } = holding;
    this.table.count(entry, isCounted ? 1 : -1);
    const counts = this.#serviceCounts.getOrInsertComputed(serviceId, () => new Map<number, number>());
    if (isCounted) counts.set(entry.slot, (counts.get(entry.slot) ?? 0) + 1);
    else decrement(counts, entry.slot);
    if (counts.size === 0) this.#serviceCounts.delete(serviceId);
  }

  #noteIfPending(task: Task): void {
    const isPending = task.status.state === 'pending' && desiredStateRank(task.desired) <= desiredStateRank('complete');
    const { id: taskId, serviceId, revisionId, nodeId } = task;
    const waiting: PendingTask = { taskId, serviceId, revisionId, ...(nodeId === undefined ? {} : { nodeId }) };
    const holding = this.#holdings.get(taskId);
    if (holding?.tentative !== undefined) holding.tentative = isPending ? waiting : 'gone';
    else if (isPending) this.#pending.add(waiting);
    else this.#pending.delete(taskId);
  }
}
