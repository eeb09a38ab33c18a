import type { NodeId, RevisionId, ServiceId, TaskId } from '../model/meta.ts';
import type { PendingWork } from './decision.ts';

/** A task that can wait for a node; with `onlyNodeId` for that one. */
export type QueueEntry = {
  readonly id: TaskId;
  readonly serviceId: ServiceId;
  readonly revisionId: RevisionId;
  readonly onlyNodeId: NodeId | undefined;
  /** Its place in its list, owned by the queue; NOT_QUEUED when it is in none. */
  position: number;
};

export const NOT_QUEUED = -1;

/** Entries in the order in which they came. One that was taken out stays in the list, but not at its position, until the list is read. */
type List = { entries: QueueEntry[]; size: number };

/** Tasks that wait for a decision, grouped as they are decided. */
export class PendingQueue {
  readonly #groups = new Map<RevisionId, List>();
  readonly #preassigned: List = { entries: [], size: 0 };

  /** The entry must not be queued. */
  add(entry: QueueEntry): void {
    const list = entry.onlyNodeId === undefined ? this.#groups.get(entry.revisionId) ?? newList() : this.#preassigned;
    if (entry.onlyNodeId === undefined && list.size === 0) this.#groups.set(entry.revisionId, list);
    entry.position = list.entries.length;
    list.entries.push(entry);
    list.size += 1;
  }

  /** The entry must be queued. */
  delete(entry: QueueEntry): void {
    const list = entry.onlyNodeId === undefined ? this.#groups.get(entry.revisionId) : this.#preassigned;
    entry.position = NOT_QUEUED;
    if (!list) return;
    list.size -= 1;
    if (list.size > 0) return;
    if (list === this.#preassigned) list.entries = [];
    else this.#groups.delete(entry.revisionId);
  }

  /** What waits, in the order in which it came. */
  work(): PendingWork {
    return {
      preassigned: compact(this.#preassigned).flatMap(({ id, serviceId, revisionId, onlyNodeId }) => onlyNodeId === undefined ? [] : [{ taskId: id, serviceId, revisionId, nodeId: onlyNodeId }]),
      groups: Array.from(this.#groups, ([revisionId, list]) => {
        const entries = compact(list);
        return { revisionId, serviceId: entries[0]?.serviceId ?? '', taskIds: entries.map((entry) => entry.id) };
      }),
    };
  }
}

const newList = (): List => ({ entries: [], size: 0 });

function compact(list: List): readonly QueueEntry[] {
  if (list.size === list.entries.length) return list.entries;
  list.entries = list.entries.filter((entry, index) => entry.position === index);
  for (const [index, entry] of list.entries.entries()) entry.position = index;
  return list.entries;
}
