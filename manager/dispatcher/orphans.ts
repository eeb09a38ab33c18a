import { ReconcileLoop } from '../../base/reconcile-loop.ts';
import type { NodeId, TaskId } from '../../model/meta.ts';
import { isEnded, taskStateRank, type Task } from '../../model/task.ts';
import { commitAsLeader, COMMIT_BATCH, reportFailure, type LoopContext } from '../loop-context.ts';
import type { Tables } from '../orchestrator/read-service.ts';
import { Wakeups } from '../wakeups.ts';

/** How long a task of a node that is down may still run somewhere for all we know. */
export const ORPHAN_AFTER_MS = 24 * 3_600_000;

/** Gives up tasks whose node was removed, or has been down for a day: they become `orphaned`, so that what they hold is free again. */
export function startOrphanLoop(context: LoopContext, scope: AsyncDisposableStack): void {
  const { store, clock } = context;
  const wakeups = scope.use(new Wakeups({ clock, time: 'wall', wake: (nodeId) => loop.enqueue(nodeId) }));
  const loop: ReconcileLoop = scope.use(new ReconcileLoop({
    clock, onError: reportFailure(context, 'orphans'),
    reconcile: async (nodeId) => {
      wakeups.set(nodeId, store.view((view) => orphanTimeMs(view, nodeId, clock.now())));
      if (await orphanTasks(context, nodeId)) loop.enqueue(nodeId);
    },
  }));
  scope.use(store.subscribe(({ changes }) => {
    for (const change of changes) if (change.kind === 'node' && change.before?.status.state !== change.after?.status.state) loop.enqueue(change.id);
  }));
  store.view((view) => {
    for (const node of view.node.list()) if (node.status.state === 'down') loop.enqueue(node.id);
    for (const task of view.task.list()) if (task.nodeId !== undefined && !view.node.get(task.nodeId)) loop.enqueue(task.nodeId);
  });
}

/** When the node's tasks are given up, if that is still to come. */
function orphanTimeMs(tables: Tables, nodeId: NodeId, nowMs: number): number | undefined {
  const node = tables.node.get(nodeId);
  const dueMs = node?.status.state === 'down' ? node.status.atMs + ORPHAN_AFTER_MS : undefined;
  return dueMs !== undefined && dueMs > nowMs ? dueMs : undefined;
}

async function orphanTasks(context: LoopContext, nodeId: NodeId): Promise<boolean> {
  const { store, clock } = context;
  if (store.view((view) => tasksToOrphan(view, nodeId, clock.now())).length === 0) return false;
  return commitAsLeader(context, (tx) => {
    const atMs = clock.now();
    const ids = tasksToOrphan(tx, nodeId, atMs);
    const message = tx.node.get(nodeId) ? 'its node has been down for too long' : 'its node was removed';
    for (const id of ids.slice(0, COMMIT_BATCH)) {
      const task = tx.task.get(id);
      if (task) tx.task.update({ ...task, status: { ...task.status, state: 'orphaned', atMs, message } });
    }
    return ids.length > COMMIT_BATCH;
  });
}

/** Pure: the node's tasks to be given up now. */
function tasksToOrphan(tables: Tables, nodeId: NodeId, nowMs: number): TaskId[] {
  const node = tables.node.get(nodeId);
  if (node && !(node.status.state === 'down' && nowMs >= node.status.atMs + ORPHAN_AFTER_MS)) return [];
  return tables.task.by('node', nodeId).filter(mayRun).map((task) => task.id);
}

const mayRun = (task: Task): boolean => taskStateRank(task.status.state) >= taskStateRank('assigned') && !isEnded(task.status.state);
