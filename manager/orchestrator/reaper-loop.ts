import { ReconcileLoop } from '../../base/reconcile-loop.ts';
import type { ServiceId } from '../../model/meta.ts';
import { isEnded, isWanted, type Task } from '../../model/task.ts';
import type { Change } from '../../store/store.ts';
import { commitAsLeader, COMMIT_BATCH, reportFailure, type LoopContext } from '../loop-context.ts';
import { Wakeups } from '../wakeups.ts';
import { applyReaperAction } from './apply-actions.ts';
import { planReaper, type ReaperAction } from './plan-reaper.ts';
import { readReaper, type Tables } from './read-service.ts';

/** Deleting is never urgent: tasks that end together go in one commit. */
const GATHER_MS = 50;

/** Deletes what nobody needs any more: ended tasks beyond the history limit, removed tasks and services, unused revisions. */
export function startReaperLoop(context: LoopContext, scope: AsyncDisposableStack): void {
  const { store, clock } = context;
  const loop: ReconcileLoop = scope.use(new ReconcileLoop({
    clock, onError: reportFailure(context, 'reaper'),
    reconcile: async (serviceId) => { if (await reap(context, serviceId)) loop.enqueue(serviceId); },
  }));
  const waiting = new Set<ServiceId>();
  const wakeups = scope.use(new Wakeups({ clock, time: 'wall', wake: (serviceId) => {
    waiting.delete(serviceId);
    loop.enqueue(serviceId);
  } }));
  scope.use(store.subscribe(({ changes }) => {
    for (const serviceId of changes.map(affectedService)) {
      if (serviceId === undefined || waiting.has(serviceId)) continue;
      waiting.add(serviceId);
      wakeups.set(serviceId, clock.now() + GATHER_MS);
    }
  }));
  store.view((view) => { for (const { id } of view.service.list()) loop.enqueue(id); });
}

/** True when there was more to do than fits one commit. */
async function reap(context: LoopContext, serviceId: ServiceId): Promise<boolean> {
  if (context.store.view((view) => planOf(view, serviceId)).length === 0) return false;
  return commitAsLeader(context, (tx) => {
    const actions = planOf(tx, serviceId);
    for (const action of actions.slice(0, COMMIT_BATCH)) applyReaperAction(tx, action);
    return actions.length > COMMIT_BATCH;
  });
}

function planOf(tables: Tables, serviceId: ServiceId): ReaperAction[] {
  const snapshot = readReaper(tables, serviceId);
  return snapshot ? planReaper(snapshot) : [];
}

function affectedService(change: Change): ServiceId | undefined {
  if (change.kind === 'service') return change.after ? change.id : undefined;
  if (change.kind !== 'task') return undefined;
  return isReapable(change.after) ? (change.after ?? change.before)?.serviceId : undefined;
}

const isReapable = (task: Task | undefined): boolean => task === undefined || !isWanted(task.desired) || isEnded(task.status.state);
