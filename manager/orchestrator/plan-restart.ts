import { isEnded, type Task } from '../../model/task.ts';
import { endedByItself, isStopping, nextAttempt, type Slot } from './slots.ts';
import { emptyPlan, setDesired, type Action, type Plan, type ServiceSnapshot } from './snapshot.ts';

/** How long a task that was told to stop may hold up its successor in the slot. */
const MAX_STOP_WAIT_MS = 60_000;

/**
 * Pure: replaces what was lost with its node at once, restarts what ended as the restart policy says, and starts prepared tasks whose time has come.
 * A new task is of the revision of the one it replaces: which slots change revision is the update's decision alone.
 */
export function planRestart(snapshot: ServiceSnapshot, slot: Slot): Plan {
  if (slot.lost.length > 0) return { actions: replaceLost(slot), wakeAtMs: undefined };
  if (slot.ended.length > 0) return decideEnded(snapshot, slot);
  const ready = slot.live.find((task) => task.desired === 'ready');
  return ready ? startReady(snapshot, slot, ready) : emptyPlan;
}

function replaceLost(slot: Slot): Action[] {
  const gone = [...slot.lost, ...slot.ended];
  const newest = slot.lost.at(-1);
  if (slot.live.length > 0 || !newest) return setDesired(gone, 'shutdown');
  return [create(slot, newest, 'running')];
}

function decideEnded(snapshot: ServiceSnapshot, slot: Slot): Plan {
  const newest = slot.ended.at(-1);
  if (!newest || isSucceeded(snapshot, slot, newest) || !mayRestart(snapshot, slot, newest)) return { actions: setDesired(slot.ended, 'shutdown'), wakeAtMs: undefined };
  // What can't even be prepared fails before its own delay is over; it must not be tried faster than that.
  const dueMs = newest.desired === 'ready' ? afterDelayMs(snapshot, slot, newest) : 0;
  if (dueMs > snapshot.nowMs) return { actions: [], wakeAtMs: dueMs };
  return { actions: [create(slot, newest, snapshot.template(newest.revisionId).restart.delayMs > 0 ? 'ready' : 'running')], wakeAtMs: undefined };
}

/** A live task has the same revision, or the service's newer one. */
const isSucceeded = (snapshot: ServiceSnapshot, slot: Slot, ended: Task): boolean =>
  slot.live.some((task) => task.revisionId === ended.revisionId || task.revisionId === snapshot.service.revisionId);

const create = (slot: Slot, predecessor: Task, desired: 'ready' | 'running'): Action => ({
  type: 'create-task', slot: slot.slot, nodeId: slot.nodeId, attempt: nextAttempt(slot), revisionId: predecessor.revisionId, desired,
  replaces: [...slot.lost, ...slot.ended].map((task) => task.id),
});

/** The restart policy's answer for a task that ended by itself. Attempts are counted from the tasks kept of the slot, so a change of leader forgets none. */
function mayRestart(snapshot: ServiceSnapshot, slot: Slot, ended: Task): boolean {
  const { condition, maxAttempts, windowMs } = snapshot.template(ended.revisionId).restart;
  if (!endedByItself(ended)) return true;
  if (condition === 'none' || (condition === 'on-failure' && ended.status.state === 'complete')) return false;
  if (maxAttempts === 0) return true;
  const sinceMs = windowMs > 0 ? snapshot.nowMs - windowMs : -Infinity;
  const earlierEnds = slot.tasks.filter((task) => task.id !== ended.id && task.revisionId === ended.revisionId && endedByItself(task) && task.status.atMs >= sinceMs);
  return earlierEnds.length < maxAttempts;
}

function startReady(snapshot: ServiceSnapshot, slot: Slot, ready: Task): Plan {
  const dueMs = Math.max(afterDelayMs(snapshot, slot, ready), afterStopMs(snapshot, slot, ready));
  return dueMs <= snapshot.nowMs ? { actions: setDesired([ready], 'running'), wakeAtMs: undefined } : { actions: [], wakeAtMs: dueMs };
}

/** The restart delay holds when the task follows one of its own revision that ended by itself. */
function afterDelayMs(snapshot: ServiceSnapshot, slot: Slot, ready: Task): number {
  const predecessor = slot.tasks.filter((task) => task.id !== ready.id && isEnded(task.status.state)).at(-1);
  if (!predecessor || predecessor.revisionId !== ready.revisionId || !endedByItself(predecessor)) return 0;
  return ready.createdAtMs + snapshot.template(ready.revisionId).restart.delayMs;
}

const afterStopMs = (snapshot: ServiceSnapshot, slot: Slot, ready: Task): number =>
  slot.tasks.some((task) => task.id !== ready.id && isStopping(task, snapshot)) ? ready.createdAtMs + MAX_STOP_WAIT_MS : 0;
