import type { ContainerId, Meta, NodeId, RevisionId, ServiceId } from './meta.ts';

/** Observed states in order; a task only ever moves to the right. The last five are ends. */
export const taskStates = [
  'new', 'pending', 'assigned', 'accepted', 'preparing', 'ready', 'starting', 'running',
  'complete', 'shutdown', 'failed', 'rejected', 'orphaned',
] as const;
export type TaskState = (typeof taskStates)[number];

/** Desired states in order; they too only move to the right. ready: prepared but not started; remove: stopped, then forgotten. */
export const desiredStates = ['ready', 'running', 'complete', 'shutdown', 'remove'] as const;
export type DesiredState = (typeof desiredStates)[number];

export const taskStateRank = (state: TaskState): number => taskStates.indexOf(state);
export const desiredStateRank = (state: DesiredState): number => desiredStates.indexOf(state);
/** True in states from which a task never runs again. */
export const isEnded = (state: TaskState): boolean => taskStateRank(state) > taskStateRank('running');
/** True while the task is wanted to run or to be ready to. */
export const isWanted = (desired: DesiredState): boolean => desiredStateRank(desired) <= desiredStateRank('running');

/** What a task's container looks like from outside; known once it is prepared. */
export type TaskContainer = {
  readonly id: ContainerId;
  /** Host pid of the container's first process as the agent sees it; 0 while it does not run. */
  readonly pid: number;
  /** Addresses in CIDR form, one per attached network; empty for `none` and `host`. */
  readonly addresses: readonly string[];
};

export type TaskStatus = {
  readonly state: TaskState;
  readonly atMs: number;
  /** What is going on, in a few words; for `pending` why it can't be placed. */
  readonly message: string;
  /** Why it failed or was rejected. */
  readonly error?: string;
  readonly container?: TaskContainer;
  /** When it reached `running`, by the manager's clock; set by the dispatcher, never by an agent. */
  readonly runningAtMs?: number;
  /** Exit code of the first process (128 + signal when killed); only in ended states. */
  readonly exitCode?: number;
  /** Host ports bound by this task. */
  readonly ports?: readonly { readonly protocol: 'tcp' | 'udp' | 'sctp'; readonly targetPort: number; readonly publishedPort: number }[];
};

/** One attempt to run one container of a service; never moved, never restarted. A restart is a new task in the same slot. */
export type Task = Meta & {
  readonly serviceId: ServiceId;
  readonly revisionId: RevisionId;
  /** 1, 2, … for replicated services; 0 for global ones, where the node is the slot. */
  readonly slot: number;
  /** Grows by one with every task of the slot; says which of two is the younger, whatever clocks say. */
  readonly attempt?: number;
  readonly nodeId?: NodeId;
  readonly desired: DesiredState;
  readonly status: TaskStatus;
};

/** Who may move a task to a state. */
export type TaskWriter = 'orchestrator' | 'allocator' | 'scheduler' | 'agent' | 'dispatcher';

/** The one writer of each observed state; a property test holds the system to it. */
export const stateWriters: Readonly<Record<TaskState, TaskWriter>> = {
  new: 'orchestrator', pending: 'allocator', assigned: 'scheduler', accepted: 'agent', preparing: 'agent', ready: 'agent',
  starting: 'agent', running: 'agent', complete: 'agent', shutdown: 'agent', failed: 'agent', rejected: 'agent', orphaned: 'dispatcher',
};

/** The status after `report`; undefined when the report is late (an earlier state) and must be dropped. Same-state reports replace message and container. */
export function nextTaskStatus(status: TaskStatus, report: TaskStatus): TaskStatus | undefined {
  if (isEnded(status.state)) return undefined;
  if (taskStateRank(report.state) < taskStateRank(status.state)) return undefined;
  return { ...(status.container ? { container: status.container } : {}), ...(status.ports ? { ports: status.ports } : {}), ...report };
}

/** The later of the two desired states. */
export const laterDesired = (a: DesiredState, b: DesiredState): DesiredState => desiredStateRank(a) >= desiredStateRank(b) ? a : b;
