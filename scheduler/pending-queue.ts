import type { NodeId, RevisionId, ServiceId, TaskId } from '../model/meta.ts';
import type { PendingWork, PreassignedTask } from './decision.ts';

/** A task that waits for a node; with `onlyNodeId` for that one. */
export type PendingTask = { readonly id: TaskId; readonly serviceId: ServiceId; readonly revisionId: RevisionId; readonly onlyNodeId: NodeId | undefined };

/** Tasks that wait for a decision, grouped as they are decided. */
export class PendingQueue {
  readonly #groups = new Map<RevisionId, { readonly serviceId: ServiceId; readonly taskIds: Set<TaskId> }>();
  readonly #preassigned = new Map<TaskId, PreassignedTask>();

  add({ id, serviceId, revisionId, onlyNodeId }: PendingTask): void {
    if (onlyNodeId === undefined) this.#groups.getOrInsertComputed(revisionId, () => ({ serviceId, taskIds: new Set<TaskId>() })).taskIds.add(id);
    else this.#preassigned.set(id, { taskId: id, serviceId, revisionId, nodeId: onlyNodeId });
  }

  delete({ id, revisionId, onlyNodeId }: PendingTask): void {
    if (onlyNodeId !== undefined) {
      this.#preassigned.delete(id);
      return;
    }
    const group = this.#groups.get(revisionId);
    group?.taskIds.delete(id);
    if (group?.taskIds.size === 0) this.#groups.delete(revisionId);
  }

  /** What waits, in the order in which it came. */
  work(): PendingWork {
    return {
      preassigned: [...this.#preassigned.values()],
      groups: Array.from(this.#groups, ([revisionId, { serviceId, taskIds }]) => ({ revisionId, serviceId, taskIds: [...taskIds] })),
    };
  }
}
