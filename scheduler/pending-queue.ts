import type { RevisionId, ServiceId, TaskId } from '../model/meta.ts';
import type { PendingWork, PreassignedTask } from './decision.ts';

/** A task that waits for a node; with `nodeId` for that one. */
export type PendingTask = { readonly taskId: TaskId; readonly serviceId: ServiceId; readonly revisionId: RevisionId; readonly nodeId?: string };

/** Tasks that wait for a decision, grouped as they are decided. */
export class PendingQueue {
  readonly #tasks = new Map<TaskId, PendingTask>();
  readonly #groups = new Map<RevisionId, { readonly serviceId: ServiceId; readonly taskIds: Set<TaskId> }>();
  readonly #preassigned = new Map<TaskId, PreassignedTask>();

  add(task: PendingTask): void {
    const { taskId, serviceId, revisionId, nodeId } = task;
    this.#tasks.set(taskId, task);
    if (nodeId === undefined) this.#groups.getOrInsertComputed(revisionId, () => ({ serviceId, taskIds: new Set<TaskId>() })).taskIds.add(taskId);
    else this.#preassigned.set(taskId, { taskId, serviceId, revisionId, nodeId });
  }

  /** Returns what waited; undefined when nothing did. */
  delete(taskId: TaskId): PendingTask | undefined {
    const task = this.#tasks.get(taskId);
    if (!task) return undefined;
    this.#tasks.delete(taskId);
    this.#preassigned.delete(taskId);
    const group = this.#groups.get(task.revisionId);
    group?.taskIds.delete(taskId);
    if (group?.taskIds.size === 0) this.#groups.delete(task.revisionId);
    return task;
  }

  /** What waits, in the order in which it came. */
  work(): PendingWork {
    return {
      preassigned: [...this.#preassigned.values()],
      groups: Array.from(this.#groups, ([revisionId, { serviceId, taskIds }]) => ({ revisionId, serviceId, taskIds: [...taskIds] })),
    };
  }
}
