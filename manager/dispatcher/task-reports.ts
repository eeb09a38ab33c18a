import { OrchError } from '../../model/errors.ts';
import type { NodeId, TaskId } from '../../model/meta.ts';
import { nextTaskStatus, stateWriters, type Task, type TaskStatus } from '../../model/task.ts';
import type { TaskReport } from '../../proto/session-messages.ts';
import type { Tx, View } from '../../store/store.ts';

/** Throws ORCH_FORBIDDEN when a report is about a task of another node, or gives a task up, which is not an agent's to do. Reports about deleted tasks, and of states from before the agent had the task, are late, not wrong. */
export function checkReports(view: View, nodeId: NodeId, reports: readonly TaskReport[]): void {
  for (const { taskId, status } of reports) {
    const task = view.task.get(taskId);
    if (task && task.nodeId !== nodeId) {
      throw new OrchError('ORCH_FORBIDDEN', `Node ${nodeId} reported on task ${taskId}, which is not its own`, { details: { nodeId, taskId } });
    }
    if (status.state === 'orphaned') {
      throw new OrchError('ORCH_FORBIDDEN', `Node ${nodeId} reported task ${taskId} as orphaned, which only a manager can know`, { details: { nodeId, taskId } });
    }
  }
}

/** Writes the newest state of every task in `reports`; what is late or says nothing new is dropped. */
export function applyReports(tx: Tx, reports: readonly TaskReport[], nowMs: number): void {
  const byTask = new Map<TaskId, { readonly task: Task; status: TaskStatus }>();
  for (const { taskId, status } of reports) {
    const task = tx.task.get(taskId);
    if (!task || stateWriters[status.state] !== 'agent') continue;
    const entry = byTask.get(taskId) ?? { task, status: task.status };
    entry.status = afterReport(entry.status, status, nowMs);
    byTask.set(taskId, entry);
  }
  for (const { task, status } of byTask.values()) if (!saysTheSame(task.status, status)) tx.task.update({ ...task, status });
}

/** A node's clock may run ahead of ours; the future is not believed, since delays are measured from these times. */
function afterReport(status: TaskStatus, report: TaskStatus, nowMs: number): TaskStatus {
  const next = nextTaskStatus(status, { ...report, atMs: Math.min(report.atMs, nowMs) });
  if (!next) return status;
  const runningAtMs = status.runningAtMs ?? (next.state === 'running' ? nowMs : undefined);
  const { runningAtMs: _, ...rest } = next;
  return { ...rest, ...(runningAtMs === undefined ? {} : { runningAtMs }) };
}

/** The time alone is no news: agents repeat everything they know in every new session. */
function saysTheSame(a: TaskStatus, b: TaskStatus): boolean {
  if (a === b) return true;
  return a.state === b.state && a.message === b.message && a.error === b.error && a.exitCode === b.exitCode && a.runningAtMs === b.runningAtMs
    && JSON.stringify(a.ports) === JSON.stringify(b.ports) && sameContainer(a.container, b.container);
}

const sameContainer = (a: TaskStatus['container'], b: TaskStatus['container']): boolean =>
  a?.id === b?.id && a?.pid === b?.pid && a?.addresses.join() === b?.addresses.join();
