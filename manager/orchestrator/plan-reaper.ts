import type { TaskId } from '../../model/meta.ts';
import type { Node } from '../../model/node.ts';
import type { Revision, Service } from '../../model/service.ts';
import { byAge } from './slots.ts';
import { isEnded, isWanted, taskStateRank, type Task } from '../../model/task.ts';

export type ReaperSnapshot = {
  readonly service: Service;
  readonly tasks: readonly Task[];
  readonly revisions: readonly Revision[];
  /** Ended tasks kept per slot; negative keeps all. */
  readonly historyLimit: number;
  node(id: string): Node | undefined;
};

export type ReaperAction =
  | { readonly type: 'delete-task'; readonly taskId: TaskId }
  | { readonly type: 'delete-revision'; readonly revisionId: string }
  | { readonly type: 'delete-service'; readonly serviceId: string };

/** Pure: what of one service nobody needs any more: tasks told to go that have stopped or never had a node, history beyond the limit, revisions that nothing names, a removed service without tasks. */
export function planReaper(snapshot: ReaperSnapshot): ReaperAction[] {
  const { service, tasks, revisions } = snapshot;
  const doomed = new Set([...tasks.filter(isForgettable), ...surplusHistory(snapshot)]);
  const rest = tasks.filter((task) => !doomed.has(task));
  const gone = service.removing === true && rest.length === 0;
  const named = new Set([service.revisionId, service.previousRevisionId, ...rest.map((task) => task.revisionId)]);
  return [
    ...[...doomed].toSorted(byAge).map((task): ReaperAction => ({ type: 'delete-task', taskId: task.id })),
    ...revisions.filter(({ id }) => gone || !named.has(id)).map(({ id }): ReaperAction => ({ type: 'delete-revision', revisionId: id })),
    ...(gone ? [{ type: 'delete-service', serviceId: service.id } as const] : []),
  ];
}

/** A task that never had a node leaves no trace worth keeping, whatever ended its wish. */
function isForgettable(task: Task): boolean {
  if (isWanted(task.desired)) return false;
  if (taskStateRank(task.status.state) < taskStateRank('assigned')) return true;
  return task.desired === 'remove' && isEnded(task.status.state);
}

function surplusHistory(snapshot: ReaperSnapshot): Task[] {
  if (snapshot.historyLimit < 0) return [];
  const slots = Map.groupBy(snapshot.tasks.filter((task) => task.desired !== 'remove'), (task) => `${task.slot} ${task.slot === 0 ? task.nodeId ?? '' : ''}`);
  return [...slots.values()].flatMap((tasks) => surplusOfSlot(snapshot, tasks));
}

function surplusOfSlot({ service, historyLimit }: ReaperSnapshot, tasks: readonly Task[]): Task[] {
  const { maxAttempts } = service.spec.template.restart;
  const old = tasks.filter((task) => !isWanted(task.desired) && isEnded(task.status.state))
    .toSorted((a, b) => byAge(b, a));
  // Attempts are counted and delays measured from history: it must reach back as far as the policy looks. Unless the slot runs what it should, its last ended task says what became of it.
  const settled = !isUpdating(service) && tasks.some((task) => task.desired === 'running' && task.status.state === 'running' && task.revisionId === service.revisionId);
  const needed = settled ? 0 : 1;
  return old.slice(Math.max(historyLimit, needed, maxAttempts > 0 ? maxAttempts + 1 : 0));
}

const isUpdating = ({ updateStatus }: Service): boolean => updateStatus !== undefined && updateStatus.completedAtMs === undefined;
