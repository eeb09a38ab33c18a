import type { NodeId } from '../../model/meta.ts';
import type { UpdateConfig, UpdateStatus } from '../../model/service.ts';
import type { Task } from '../../model/task.ts';
import { endedByItself, isStopping, nextAttempt, type Slot } from './slots.ts';
import { earlier, setDesired, type Action, type Plan, type ServiceSnapshot } from './snapshot.ts';

export type UpdatePlan = Plan & {
  /** Keys of slots that this plan changes; nobody else may plan for them in the same pass. */
  readonly taken: ReadonlySet<string>;
};

/**
 * Pure: the next step of a rolling update: slots whose tasks are not of the service's revision are replaced, at most `parallelism` at a time.
 * Everything it needs to go on is in the store (tasks and update status), so that a new leader continues where the old one stopped.
 */
export function planUpdate(snapshot: ServiceSnapshot, slots: readonly Slot[]): UpdatePlan {
  const update = toUpdate(snapshot, slots);
  const finished = finishStartFirst(update);
  if (!update.begun && update.dirty.length === 0) return { ...finished, wakeAtMs: undefined };
  if (isPaused(update.status)) return { ...finished, wakeAtMs: undefined };
  const failure = planFailure(update);
  if (failure) return { actions: [...finished.actions, failure], taken: finished.taken, wakeAtMs: undefined };
  return advance(update, finished);
}

type Update = {
  readonly snapshot: ServiceSnapshot;
  readonly revisionId: string;
  readonly config: UpdateConfig;
  /** The stored status, or that of an update that begins now. */
  readonly status: UpdateStatus;
  /** True when the stored status is of an update that goes on. */
  readonly begun: boolean;
  readonly slots: readonly Slot[];
  readonly dirty: readonly Slot[];
};

function toUpdate(snapshot: ServiceSnapshot, slots: readonly Slot[]): Update {
  const { service, nowMs } = snapshot;
  const stored = service.updateStatus;
  const begun = stored !== undefined && stored.completedAtMs === undefined;
  const status: UpdateStatus = begun ? stored : { state: 'updating', startedAtMs: nowMs, message: 'update in progress' };
  return {
    snapshot, slots, status, begun,
    revisionId: service.revisionId,
    config: isRollback(status) ? service.spec.rollback : service.spec.update,
    dirty: slots.filter((slot) => isDirty(slot, service.revisionId)),
  };
}

const isRollback = (status: UpdateStatus): boolean => status.state.startsWith('rollback');
const isPaused = (status: UpdateStatus): boolean => status.state === 'paused' || status.state === 'rollback-paused';

/** True when the slot has yet to get a task of the revision. One whose new task ended for good beside a running old one is not: it has had its chance. */
function isDirty(slot: Slot, revisionId: string): boolean {
  const current = (task: Task): boolean => task.revisionId === revisionId;
  return !current(slot.newest) && ![...slot.live, ...slot.lost, ...slot.ended].some(current);
}

/** Once the new task of a start-first replacement runs, the old ones stop. */
function finishStartFirst({ slots, revisionId }: Update): UpdatePlan {
  const actions: Action[] = [];
  const taken = new Set<string>();
  for (const slot of slots) {
    const old = slot.live.filter((task) => task.revisionId !== revisionId);
    if (old.length === 0 || !runningTask(slot, revisionId)) continue;
    actions.push(...setDesired(old, 'shutdown'));
    taken.add(slot.key);
  }
  return { actions, taken, wakeAtMs: undefined };
}

const runningTask = (slot: Slot, revisionId: string): Task | undefined =>
  slot.live.find((task) => task.revisionId === revisionId && task.status.state === 'running');

function planFailure(update: Update): Action | undefined {
  const { snapshot, config, status, slots } = update;
  const failed = slots.map((slot) => failedTask(update, slot)).filter((task) => task !== undefined);
  const [first] = failed;
  if (!first || failed.length / Math.max(1, touchedCount(update)) <= config.maxFailureRatio || config.failureAction === 'continue') return undefined;
  const rollback = isRollback(status);
  const cause = `due to failure or early termination of task ${first.id}`;
  if (config.failureAction === 'rollback' && !rollback && snapshot.service.previousSpec && snapshot.service.previousRevisionId !== undefined) {
    return { type: 'roll-back', status: { state: 'rollback-started', startedAtMs: snapshot.nowMs, message: `update rolled back ${cause}` } };
  }
  return { type: 'set-update-status', status: { ...status, state: rollback ? 'rollback-paused' : 'paused', message: `${rollback ? 'rollback' : 'update'} paused ${cause}` } };
}

/** A task that this update made in the slot and that ended within its time of watching. */
function failedTask({ snapshot, revisionId, config, status }: Update, slot: Slot): Task | undefined {
  const { restart } = snapshot.template(revisionId);
  return slot.tasks.find((task) => task.revisionId === revisionId && task.createdAtMs >= status.startedAtMs && endedByItself(task)
    && (task.status.state !== 'complete' || restart.condition === 'any')
    && (task.status.runningAtMs === undefined || task.status.atMs - task.status.runningAtMs <= config.monitorMs));
}

/** Slots that the update has changed or has to. */
const touchedCount = ({ slots, dirty, revisionId, status }: Update): number =>
  dirty.length + slots.filter((slot) => slot.tasks.some((task) => task.revisionId === revisionId && task.createdAtMs >= status.startedAtMs)).length;

function advance(update: Update, finished: UpdatePlan): UpdatePlan {
  const { config, dirty, status, begun, slots, snapshot } = update;
  const settledAtMs = slots.map((slot) => settleTimeMs(update, slot));
  const inFlight = settledAtMs.filter((timeMs) => timeMs > snapshot.nowMs).length;
  const capacity = config.parallelism === 0 ? dirty.length : Math.max(0, config.parallelism - inFlight);
  const next = dirty.toSorted(byUrgency).slice(0, capacity);
  const taken = new Set([...finished.taken, ...next.map((slot) => slot.key)]);
  const actions = [...finished.actions, ...(begun ? [] : [{ type: 'set-update-status', status } as const]), ...next.map((slot) => replace(update, slot))];
  const wakeAtMs = nextTime(settledAtMs, snapshot.nowMs);
  if (dirty.length > 0 || inFlight > 0) return { actions, taken, wakeAtMs };
  const doneAtMs = Math.max(status.startedAtMs, ...slots.map((slot) => watchedUntilMs(update, slot)));
  if (doneAtMs > snapshot.nowMs) return { actions, taken, wakeAtMs: earlier(wakeAtMs, doneAtMs) };
  return { actions: [...actions, { type: 'set-update-status', status: completed(status, snapshot.nowMs) }], taken, wakeAtMs };
}

/** The next finite time that is still to come. */
const nextTime = (times: readonly number[], nowMs: number): number | undefined => {
  const next = Math.min(...times.filter((timeMs) => timeMs > nowMs));
  return Number.isFinite(next) ? next : undefined;
};

const completed = (status: UpdateStatus, nowMs: number): UpdateStatus =>
  ({ ...status, state: isRollback(status) ? 'rollback-completed' : 'completed', completedAtMs: nowMs, message: isRollback(status) ? 'rollback completed' : 'update completed' });

/** When the slot's replacement counts as done and makes room for another: `delay` after its new task ran, at once when it failed, Infinity while it is on its way. */
function settleTimeMs(update: Update, slot: Slot): number {
  const { revisionId, config } = update;
  const replaced = slot.tasks.some((task) => task.revisionId !== revisionId) && slot.live.some((task) => task.revisionId === revisionId);
  if (!replaced || failedTask(update, slot)) return 0;
  const running = runningTask(slot, revisionId);
  return running ? runningSinceMs(running) + config.delayMs : Infinity;
}

const runningSinceMs = (task: Task): number => task.status.runningAtMs ?? task.status.atMs;

/** Until when a failure of the slot's new task would count against the update. */
function watchedUntilMs({ status, revisionId, config }: Update, slot: Slot): number {
  const running = runningTask(slot, revisionId);
  return running && running.createdAtMs >= status.startedAtMs ? runningSinceMs(running) + config.monitorMs : 0;
}

/** What does not run anyway goes first. */
const byUrgency = (a: Slot, b: Slot): number => Number(isServing(a)) - Number(isServing(b)) || a.slot - b.slot || (nodeKey(a.nodeId) < nodeKey(b.nodeId) ? -1 : 1);
const isServing = (slot: Slot): boolean => slot.live.some((task) => task.status.state === 'running');
const nodeKey = (nodeId: NodeId | undefined): string => nodeId ?? '';

function replace({ snapshot, revisionId, config }: Update, slot: Slot): Action {
  const base = { type: 'create-task', slot: slot.slot, nodeId: slot.nodeId, attempt: nextAttempt(slot), revisionId } as const;
  const gone = [...slot.lost, ...slot.ended];
  if (config.order === 'start-first' && isServing(slot)) return { ...base, desired: 'running', replaces: gone.map((task) => task.id) };
  const mustWait = slot.live.some((task) => task.nodeId !== undefined) || slot.tasks.some((task) => isStopping(task, snapshot));
  return { ...base, desired: mustWait ? 'ready' : 'running', replaces: [...gone, ...slot.live].map((task) => task.id) };
}
