import { taskStateRank } from '../../model/task.ts';
import { isOccupied, nextAttempt, type Slot } from './slots.ts';
import { setDesired, type Action, type ServiceSnapshot } from './snapshot.ts';

export type Membership = {
  readonly actions: readonly Action[];
  /** The slots that stay and whose tasks are looked after. */
  readonly kept: readonly Slot[];
};

/** Pure: fills and empties slots until the service has `replicas` of them. New slots take the lowest free numbers; slots that go are chosen by `removalOrder`. */
export function planReplicated(snapshot: ServiceSnapshot, slots: ReadonlyMap<string, Slot>, replicas: number): Membership {
  const occupied = [...slots.values()].filter(isOccupied);
  const surplus = new Set(occupied.length > replicas ? removalOrder(occupied).slice(0, occupied.length - replicas) : []);
  const kept = occupied.filter((slot) => !surplus.has(slot));
  const created = freeNumbers(occupied, replicas - occupied.length);
  const forgotten = [...slots.values()].filter((slot) => surplus.has(slot) || !(isOccupied(slot) || created.has(slot.slot)));
  return {
    kept,
    actions: [
      ...[...created].map((slot): Action => ({
        type: 'create-task', slot, nodeId: undefined, attempt: nextAttempt(slots.get(String(slot))), revisionId: snapshot.service.revisionId, desired: 'running', replaces: [],
      })),
      ...forgotten.flatMap((slot) => setDesired(slot.tasks, 'remove')),
    ],
  };
}

function freeNumbers(occupied: readonly Slot[], count: number): Set<number> {
  const taken = new Set(occupied.map((slot) => slot.slot));
  const free = new Set<number>();
  for (let number = 1; free.size < count; number += 1) if (!taken.has(number)) free.add(number);
  return free;
}

/**
 * Slots in the order in which scaling down takes them: those without a node first, then from the nodes that have most tasks of the service, so that the
 * rest stays balanced; among equals those that do not run, then the highest numbers.
 */
export function removalOrder(slots: readonly Slot[]): Slot[] {
  const byNode = Map.groupBy(slots, nodeOf);
  const place = new Map<Slot, number>();
  for (const [nodeId, onNode] of byNode) {
    const keepOrder = onNode.toSorted((a, b) => Number(isRunning(b)) - Number(isRunning(a)) || a.slot - b.slot);
    for (const [index, slot] of keepOrder.entries()) place.set(slot, nodeId === '' ? Infinity : index);
  }
  const placeOf = (slot: Slot): number => place.get(slot) ?? 0;
  return slots.toSorted((a, b) => compareDescending(placeOf(a), placeOf(b)) || Number(isRunning(a)) - Number(isRunning(b)) || b.slot - a.slot);
}

/** Works for Infinity too, whose difference is no number. */
const compareDescending = (a: number, b: number): number => {
  if (a === b) return 0;
  return a > b ? -1 : 1;
};

const nodeOf = (slot: Slot): string => slot.live.find((task) => task.nodeId !== undefined)?.nodeId ?? '';
const isRunning = (slot: Slot): boolean => slot.live.some((task) => taskStateRank(task.status.state) === taskStateRank('running'));
