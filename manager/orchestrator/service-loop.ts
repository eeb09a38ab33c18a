import { newId } from '../../base/ids.ts';
import { ReconcileLoop } from '../../base/reconcile-loop.ts';
import type { ServiceId } from '../../model/meta.ts';
import type { Node } from '../../model/node.ts';
import { isEnded, type Task } from '../../model/task.ts';
import type { Change } from '../../store/store.ts';
import { commitAsLeader, COMMIT_BATCH, reportFailure, type LoopContext } from '../loop-context.ts';
import { Wakeups } from '../wakeups.ts';
import { applyAction } from './apply-actions.ts';
import { planService } from './plan-service.ts';
import { readService } from './read-service.ts';

/** Keeps every service's tasks as its spec says: looks at a service when it, one of its tasks or a node it depends on has changed, or when its plan asked for a time. */
export function startServiceLoop(context: LoopContext, scope: AsyncDisposableStack): void {
  const { store, clock } = context;
  const wakeups = scope.use(new Wakeups({ clock, time: 'wall', wake: (serviceId) => loop.enqueue(serviceId) }));
  const loop: ReconcileLoop = scope.use(new ReconcileLoop({
    clock, onError: reportFailure(context, 'service'),
    reconcile: async (serviceId) => {
      const { more, wakeAtMs } = await reconcileService(context, serviceId);
      wakeups.set(serviceId, wakeAtMs);
      if (more) loop.enqueue(serviceId);
    },
  }));
  scope.use(store.subscribe(({ changes }) => {
    for (const change of changes) for (const serviceId of affectedServices(context, change)) loop.enqueue(serviceId);
  }));
  store.view((view) => { for (const { id } of view.service.list()) loop.enqueue(id); });
}

/** Applies the next part of the service's plan; `more` is true when the plan was longer than one commit. */
async function reconcileService(context: LoopContext, serviceId: ServiceId): Promise<{ more: boolean; wakeAtMs: number | undefined }> {
  const { store, clock, random } = context;
  const plan = store.view((view) => planOf(view, serviceId, clock.now()));
  if (plan.actions.length === 0) return { more: false, wakeAtMs: plan.wakeAtMs };
  return commitAsLeader(context, (tx) => {
    const nowMs = clock.now();
    const { actions, wakeAtMs } = planOf(tx, serviceId, nowMs);
    for (const action of actions.slice(0, COMMIT_BATCH)) applyAction(tx, action, { serviceId, nowMs, newId: () => newId(random) });
    return { more: actions.length > COMMIT_BATCH, wakeAtMs };
  });
}

function planOf(tables: Parameters<typeof readService>[0], serviceId: ServiceId, nowMs: number): ReturnType<typeof planService> {
  const snapshot = readService(tables, serviceId, nowMs);
  return snapshot ? planService(snapshot) : { actions: [], wakeAtMs: undefined };
}

function affectedServices(context: LoopContext, change: Change): Iterable<ServiceId> {
  if (change.kind === 'service') return change.after ? [change.id] : [];
  if (change.kind === 'task') return mattersToPlan(change.before, change.after) ? servicesOf(change.after ?? change.before) : [];
  if (change.kind === 'node') return nodeStanding(change.before) === nodeStanding(change.after) ? [] : servicesOfNode(context, change.id);
  return [];
}

const servicesOf = (task: Task | undefined): ServiceId[] => task ? [task.serviceId] : [];

/** Steps on the way to `ready` and `running` change no plan. */
function mattersToPlan(before: Task | undefined, after: Task | undefined): boolean {
  if (!before || !after || before.desired !== after.desired) return true;
  const { state } = after.status;
  return before.status.state !== state && (state === 'running' || isEnded(state));
}

/** What of a node the plans look at, as text to compare. */
const nodeStanding = (node: Node | undefined): string => node === undefined ? '' : JSON.stringify([
  node.status.state, node.spec.availability, node.role, node.spec.labels, node.description?.hostname, node.description?.platform, node.description?.engineLabels,
]);

/** Services with tasks on the node, and all global ones. */
function servicesOfNode({ store }: LoopContext, nodeId: string): Set<ServiceId> {
  return store.view((view) => {
    const ids = new Set(view.task.by('node', nodeId).map((task) => task.serviceId));
    for (const service of view.service.list()) if (service.spec.mode.type === 'global') ids.add(service.id);
    return ids;
  });
}
