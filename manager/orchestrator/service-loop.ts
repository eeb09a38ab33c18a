import { newId } from '../../base/ids.ts';
import { ReconcileLoop } from '../../base/reconcile-loop.ts';
import type { ServiceId } from '../../model/meta.ts';
import type { Node } from '../../model/node.ts';
import { isEnded, type Task } from '../../model/task.ts';
import type { Change, Tx } from '../../store/store.ts';
import { commitAsLeader, COMMIT_BATCH, reportFailure, type LoopContext } from '../loop-context.ts';
import { Wakeups } from '../wakeups.ts';
import { applyAction } from './apply-actions.ts';
import { planService } from './plan-service.ts';
import { readService } from './read-service.ts';
import type { Action } from './snapshot.ts';

/** Keeps every service's tasks as its spec says: looks at a service when it, one of its tasks or a node it depends on has changed, or when its plan asked for a time. */
export function startServiceLoop(context: LoopContext, scope: AsyncDisposableStack): void {
  const { store, clock } = context;
  const reconciler = new ServiceReconciler(context);
  const wakeups = scope.use(new Wakeups({ clock, time: 'wall', wake: (serviceId) => loop.enqueue(serviceId) }));
  const loop: ReconcileLoop = scope.use(new ReconcileLoop({
    clock, onError: reportFailure(context, 'service'),
    reconcile: async (serviceId) => {
      const { more, wakeAtMs } = await reconciler.step(serviceId);
      wakeups.set(serviceId, wakeAtMs);
      if (more) loop.enqueue(serviceId);
    },
  }));
  scope.use(store.subscribe(({ changes }) => {
    for (const change of changes) for (const serviceId of affectedServices(context, change)) loop.enqueue(serviceId);
  }));
  store.view((view) => { for (const { id } of view.service.list()) loop.enqueue(id); });
}

type Step = { /** True when there may be more to do at once. */ readonly more: boolean; readonly wakeAtMs: number | undefined };

/** Carries out plans one commit at a time. The rest of a plan that is longer stays good while its service is the same: nobody else makes tasks. */
class ServiceReconciler {
  readonly #context: LoopContext;
  readonly #rests = new Map<ServiceId, { readonly actions: readonly Action[]; readonly serviceVersion: number }>();

  constructor(context: LoopContext) { this.#context = context; }

  async step(serviceId: ServiceId): Promise<Step> {
    const { store, clock } = this.#context;
    if (!this.#rests.has(serviceId)) {
      const plan = store.view((view) => planOf(view, serviceId, clock.now()));
      if (plan.actions.length === 0) return { more: false, wakeAtMs: plan.wakeAtMs };
    }
    const { rest, serviceVersion, wakeAtMs } = await commitAsLeader(this.#context, (tx) => this.#commit(tx, serviceId));
    if (rest.length > 0) this.#rests.set(serviceId, { actions: rest, serviceVersion });
    else this.#rests.delete(serviceId);
    return { more: rest.length > 0 || wakeAtMs === undefined, wakeAtMs };
  }

  #commit(tx: Tx, serviceId: ServiceId): { rest: readonly Action[]; serviceVersion: number; wakeAtMs: number | undefined } {
    const { clock, random } = this.#context;
    const nowMs = clock.now();
    const begun = this.#rests.get(serviceId);
    const goesOn = begun !== undefined && begun.serviceVersion === tx.service.get(serviceId)?.version;
    const { actions, wakeAtMs } = goesOn ? { actions: begun.actions, wakeAtMs: undefined } : planOf(tx, serviceId, nowMs);
    for (const action of actions.slice(0, COMMIT_BATCH)) applyAction(tx, action, { serviceId, nowMs, newId: () => newId(random) });
    return { rest: actions.slice(COMMIT_BATCH), serviceVersion: tx.service.get(serviceId)?.version ?? 0, wakeAtMs };
  }
}

function planOf(tables: Parameters<typeof readService>[0], serviceId: ServiceId, nowMs: number): ReturnType<typeof planService> {
  const snapshot = readService(tables, serviceId, nowMs);
  return snapshot ? planService(snapshot) : { actions: [], wakeAtMs: undefined };
}

function affectedServices(context: LoopContext, change: Change): Iterable<ServiceId> {
  if (change.kind === 'service') return change.after ? [change.id] : [];
  if (change.kind === 'task') return mattersToPlan(context, change) ? servicesOf(change.after ?? change.before) : [];
  if (change.kind === 'node') return nodeStanding(change.before) === nodeStanding(change.after) ? [] : servicesOfNode(context, change.id);
  return [];
}

const servicesOf = (task: Task | undefined): ServiceId[] => task ? [task.serviceId] : [];

/** Steps on the way to `running` change no plan, and reaching it only that of an update. */
function mattersToPlan({ store }: LoopContext, { before, after }: Change<'task'>): boolean {
  if (!before || !after || before.desired !== after.desired) return true;
  if (before.status.state === after.status.state) return false;
  if (after.status.state !== 'running') return isEnded(after.status.state);
  const status = store.view((view) => view.service.get(after.serviceId)?.updateStatus);
  return status !== undefined && status.completedAtMs === undefined;
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
