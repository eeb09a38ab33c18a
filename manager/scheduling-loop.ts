import { ReconcileLoop } from '../base/reconcile-loop.ts';
import type { TaskId } from '../model/meta.ts';
import { isEnded, isWanted, type Task } from '../model/task.ts';
import type { Placement, Unplaced } from '../scheduler/decision.ts';
import { schedule } from '../scheduler/schedule.ts';
import { SchedulerState } from '../scheduler/scheduler-state.ts';
import type { Change, Tx } from '../store/store.ts';
import { commitAsLeader, COMMIT_BATCH, reportFailure, type LoopContext } from './loop-context.ts';

/** Gives pending tasks their nodes. One pass decides on all that waits; while its placements are being committed the next ones gather. */
export function startSchedulingLoop(context: LoopContext, scope: AsyncDisposableStack): void {
  const { store, clock } = context;
  const state = new SchedulerState();
  const loop: ReconcileLoop = scope.use(new ReconcileLoop({
    clock, onError: reportFailure(context, 'scheduler'), maxDelayMs: 1_000,
    reconcile: () => runPass(context, state),
  }));
  scope.use(store.subscribe(({ changes }) => {
    let matters = false;
    for (const change of changes) {
      feed(state, change);
      matters ||= mattersToPlacement(change);
    }
    if (matters) loop.enqueue('all');
  }));
  store.view((view) => {
    for (const node of view.node.list()) state.upsertNode(node);
    for (const revision of view.revision.list()) state.upsertRevision(revision);
    for (const task of view.task.list()) state.upsertTask(task);
  });
  loop.enqueue('all');
}

function feed(state: SchedulerState, change: Change): void {
  if (change.kind === 'node') {
    if (change.after) state.upsertNode(change.after);
    else state.removeNode(change.id);
  } else if (change.kind === 'revision') {
    if (change.after) state.upsertRevision(change.after);
    else state.removeRevision(change.id);
  } else if (change.kind === 'task') {
    if (change.after) state.upsertTask(change.after);
    else state.removeTask(change.id);
  }
}

/** True when a task may now wait for a node, or room may have been made for one that does. */
function mattersToPlacement(change: Change): boolean {
  if (change.kind === 'node' || change.kind === 'revision') return true;
  if (change.kind !== 'task') return false;
  const { before, after } = change;
  if (!after) return true;
  return before?.status.state !== after.status.state && (after.status.state === 'pending' || isEnded(after.status.state)) || before?.desired !== after.desired;
}

async function runPass(context: LoopContext, state: SchedulerState): Promise<void> {
  const { placements, unplaced } = schedule(state, state.pendingWork(), context.clock.now());
  let committed = 0;
  try {
    for (const batch of chunks(placements, COMMIT_BATCH)) {
      state.rollback(await commitAsLeader(context, (tx) => assign(tx, batch, context.clock.now())));
      committed += batch.length;
    }
  } finally {
    state.rollback(placements.slice(committed).map(({ taskId }) => taskId));
  }
  await explainUnplaced(context, unplaced);
}

/** Writes the placements that are still possible; returns the tasks of those that are not. */
function assign(tx: Tx, placements: readonly Placement[], atMs: number): TaskId[] {
  return placements.filter(({ taskId, nodeId }) => {
    const task = tx.task.get(taskId);
    const node = tx.node.get(nodeId);
    if (!task || !isWaiting(task) || node?.status.state !== 'ready' || node.spec.availability !== 'active') return true;
    tx.task.update({ ...task, nodeId, status: { state: 'assigned', atMs, message: 'assigned to a node' } });
    return false;
  }).map(({ taskId }) => taskId);
}

const isWaiting = (task: Task): boolean => task.status.state === 'pending' && isWanted(task.desired);

/** Says in the status of tasks that have no node why that is; writes only what has changed. */
async function explainUnplaced(context: LoopContext, unplaced: readonly Unplaced[]): Promise<void> {
  const news = context.store.view((view) => unplaced.flatMap(({ taskIds, explanation: { message } }) =>
    taskIds.filter((id) => view.task.get(id)?.status.message !== message).map((taskId) => ({ taskId, message }))));
  for (const batch of chunks(news, COMMIT_BATCH)) {
    await commitAsLeader(context, (tx) => {
      for (const { taskId, message } of batch) {
        const task = tx.task.get(taskId);
        if (task && isWaiting(task)) tx.task.update({ ...task, status: { ...task.status, message } });
      }
    });
  }
}

function* chunks<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
