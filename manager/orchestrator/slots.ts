import type { NodeId, RevisionId } from '../../model/meta.ts';
import type { Node } from '../../model/node.ts';
import { meetsConstraint, parseConstraint, type Constraint } from '../../model/placement.ts';
import { isEnded, isWanted, taskStateRank, type Task } from '../../model/task.ts';
import type { ServiceSnapshot } from './snapshot.ts';

/** The tasks of one slot, except those to be removed. Every task that is wanted is in exactly one of `live`, `lost` and `ended`. */
export type Slot = {
  /** The slot's number, or the node's id for a global service. */
  readonly key: string;
  /** 0 for global services. */
  readonly slot: number;
  /** Set for global services. */
  readonly nodeId: NodeId | undefined;
  /** Oldest first. */
  readonly tasks: readonly Task[];
  readonly newest: Task;
  /** Wanted, and may still run where they are. */
  readonly live: readonly Task[];
  /** Wanted, but their node is gone, down, drained, or does not meet the constraints any more. */
  readonly lost: readonly Task[];
  /** Wanted, yet they ended: nobody has decided on them. */
  readonly ended: readonly Task[];
};

/** True when a task ended without having been told to. */
export const endedByItself = (task: Task): boolean => task.status.state === 'failed' || task.status.state === 'rejected' || task.status.state === 'complete';

/** True for a node that can't be counted on to run its tasks: it is gone, down or drained. */
const isLostNode = (node: Node | undefined): boolean => node === undefined || node.status.state === 'down' || node.spec.availability === 'drain';

/** True when somebody is in the slot: a wanted task, or one that ended and is not to be restarted. */
export const isOccupied = (slot: Slot): boolean => slot.live.length + slot.lost.length + slot.ended.length > 0 || isFinished(slot);

/** True when the slot's last task ended by itself and its restart policy allows no other. */
const isFinished = (slot: Slot): boolean =>
  slot.live.length + slot.lost.length + slot.ended.length === 0 && endedByItself(slot.newest);

/** True for tasks that were told to stop and have not yet, on a node that can still say so. */
export const isStopping = (task: Task, snapshot: ServiceSnapshot): boolean =>
  !isWanted(task.desired) && !isEnded(task.status.state) && taskStateRank(task.status.state) >= taskStateRank('assigned')
  && task.nodeId !== undefined && !isLostNode(snapshot.node(task.nodeId));

/** Sorts the service's tasks into slots by key, in the order of slots, so that the same tasks give the same plan. */
export function groupSlots(snapshot: ServiceSnapshot): Map<string, Slot> {
  const global = snapshot.service.spec.mode.type === 'global';
  const groups = new Map<string, Task[]>();
  for (const task of snapshot.tasks) {
    if (task.desired === 'remove') continue;
    const key = global ? task.nodeId ?? '' : String(task.slot);
    const group = groups.get(key);
    if (group) group.push(task);
    else groups.set(key, [task]);
  }
  const isMisplaced = global ? () => false : placementCheck(snapshot);
  const isLost = (task: Task): boolean => !global && task.nodeId !== undefined && (isLostNode(snapshot.node(task.nodeId)) || isMisplaced(task));
  const slots = [...groups].map(([key, tasks]) => toSlot(key, tasks, { global, isLost })).toSorted((a, b) => a.slot - b.slot || (a.key < b.key ? -1 : 1));
  return new Map(slots.map((slot) => [slot.key, slot]));
}

function toSlot(key: string, unsorted: readonly Task[], { global, isLost }: { readonly global: boolean; readonly isLost: (task: Task) => boolean }): Slot {
  const tasks = unsorted.toSorted(byAge);
  const newest = tasks.at(-1);
  if (!newest) throw new Error(`slot ${key} has no tasks`);
  const wanted = tasks.filter((task) => isWanted(task.desired));
  const running = wanted.filter((task) => !isEnded(task.status.state));
  return {
    key, slot: newest.slot, nodeId: global ? key : undefined, tasks, newest,
    live: running.filter((task) => !isLost(task)),
    lost: running.filter(isLost),
    ended: wanted.filter((task) => isEnded(task.status.state)),
  };
}

/** Says of tasks whether their node, by labels that changed after they were placed, may not run them; asks once per node and revision. */
function placementCheck(snapshot: ServiceSnapshot): (task: Task) => boolean {
  const constraintsOf = new Map<RevisionId, readonly Constraint[]>();
  const answers = new Map<string, boolean>();
  return ({ revisionId, nodeId = '' }) => {
    const constraints = constraintsOf.getOrInsertComputed(revisionId, () => snapshot.template(revisionId).placement.constraints.map(parseConstraint));
    if (constraints.length === 0) return false;
    return answers.getOrInsertComputed(`${revisionId} ${nodeId}`, () => {
      const node = snapshot.node(nodeId);
      return node?.description !== undefined && !constraints.every((constraint) => meetsConstraint(constraint, node));
    });
  };
}

/** For the next task of the slot; 1 for the first. */
export const nextAttempt = (slot: Slot | undefined): number => (slot?.newest.attempt ?? 0) + 1;

/** Oldest first, within a slot. */
export function byAge(a: Task, b: Task): number {
  return (a.attempt ?? 0) - (b.attempt ?? 0)
    || a.createdAtMs - b.createdAtMs
    || a.slot - b.slot
    || compareIds(a.id, b.id);
}

const compareIds = (a: string, b: string): number => {
  if (a === b) return 0;
  return a < b ? -1 : 1;
};
