import type { Container } from '../model/container.ts';
import { isEnded, taskStateRank, type DesiredState, type TaskState, type TaskStatus } from '../model/task.ts';

/** Everything on which a task's next step depends, read at one moment. */
export type TaskFacts = {
  readonly desired: DesiredState;
  /** The manager has deleted the task: nothing of it may stay. */
  readonly removed: boolean;
  readonly status: Pick<TaskStatus, 'state' | 'message'>;
  /** False while the task's revision has not arrived. */
  readonly revisionKnown: boolean;
  readonly container: Pick<Container, 'state' | 'exitCode' | 'oomKilled' | 'error'> | undefined;
  readonly imagePresent: boolean;
  /** host: nothing to attach. */
  readonly network: 'host' | 'attached' | 'detached';
  /** False while the node has no subnet that this task needs. */
  readonly networkReady: boolean;
  readonly publishesPorts: boolean;
  /** True while another task that is going away still holds a port that this one wants. */
  readonly portsLeaving: boolean;
};

/** Work on the node; each is idempotent. */
export type TaskAction = 'pull' | 'attach' | 'create' | 'start' | 'stop' | 'detach' | 'remove-container' | 'forget';

export type NextStatus = { readonly state: TaskState; readonly message: string; readonly error?: string; readonly exitCode?: number };

/** First the status is recorded, then the action is done; then the next step is planned from what there is. Neither: nothing to do until something changes. */
export type TaskStep = { readonly status?: NextStatus; readonly action?: TaskAction };

/** Pure: the one next step of a task. */
export function planTaskStep(facts: TaskFacts): TaskStep {
  if (facts.removed) return planRemoval(facts);
  if (isEnded(facts.status.state)) return planAfterEnd(facts);
  if (facts.container?.state === 'exited') return planExit(facts, facts.container);
  if (facts.desired === 'shutdown' || facts.desired === 'remove') return planShutdown(facts);
  return planProgress(facts);
}

function planRemoval({ container, network }: TaskFacts): TaskStep {
  if (container?.state === 'running') return { action: 'stop' };
  if (container) return { action: 'remove-container' };
  return { action: network === 'attached' ? 'detach' : 'forget' };
}

/** The container stays, with its log, until the manager deletes the task; its address and ports do not. */
function planAfterEnd({ container, network }: TaskFacts): TaskStep {
  if (container?.state === 'running') return { action: 'stop' };
  return network === 'attached' ? { action: 'detach' } : {};
}

/** Ports are given back before anybody hears that the task has ended: its successor may want them. */
function planExit(facts: TaskFacts, container: NonNullable<TaskFacts['container']>): TaskStep {
  if (facts.publishesPorts && facts.network === 'attached') return { action: 'detach' };
  const exitCode = container.exitCode === undefined ? {} : { exitCode: container.exitCode };
  if (facts.desired === 'shutdown' || facts.desired === 'remove') return { status: { state: 'shutdown', message: 'shutdown', ...exitCode } };
  if (container.exitCode === 0 && container.error === undefined) return { status: { state: 'complete', message: 'finished', exitCode: 0 } };
  return { status: { state: 'failed', message: facts.status.message, error: exitSentence(container), ...exitCode } };
}

function exitSentence({ exitCode, oomKilled, error }: NonNullable<TaskFacts['container']>): string {
  if (exitCode === undefined) return `task: ended, exit code unknown${error === undefined ? '' : `: ${error}`}`;
  const cause = error ?? (oomKilled ? 'out of memory' : undefined);
  return `task: non-zero exit (${exitCode})${cause === undefined ? '' : `: ${cause}`}`;
}

function planShutdown({ container, network }: TaskFacts): TaskStep {
  if (container?.state === 'running') return { action: 'stop' };
  return network === 'attached' ? { action: 'detach' } : { status: { state: 'shutdown', message: 'shutdown' } };
}

function planProgress(facts: TaskFacts): TaskStep {
  const { state } = facts.status;
  if (facts.container?.state === 'running') return state === 'running' ? {} : { status: { state: 'running', message: 'started' } };
  if (state === 'running') return { status: { state: 'failed', message: facts.status.message, error: 'task: its container is gone' } };
  if (!facts.revisionKnown) return wait(facts, 'waiting for the service\'s revision');
  if (taskStateRank(state) < taskStateRank('accepted')) return { status: { state: 'accepted', message: 'accepted' } };
  if (state === 'accepted') return { status: { state: 'preparing', message: 'preparing' } };
  if (state === 'preparing') return planPreparation(facts);
  if (state === 'ready') return facts.desired === 'ready' ? {} : { status: { state: 'starting', message: 'starting' } };
  return planContainerSteps(facts) ?? { action: 'start' };
}

/** A task that binds ports of the node gets network and container only when it is to run: until then its predecessor may have the ports. */
function planPreparation(facts: TaskFacts): TaskStep {
  if (!facts.imagePresent && !facts.container) return { action: 'pull' };
  const step = facts.publishesPorts ? undefined : planContainerSteps(facts);
  return step ?? { status: { state: 'ready', message: 'prepared' } };
}

/** Undefined once the container is made. */
function planContainerSteps(facts: TaskFacts): TaskStep | undefined {
  if (facts.network === 'detached') {
    if (!facts.networkReady) return wait(facts, 'waiting for the node\'s network');
    if (facts.portsLeaving) return wait(facts, 'waiting for a port that another task is giving back');
    return { action: 'attach' };
  }
  return facts.container ? undefined : { action: 'create' };
}

const wait = ({ status }: TaskFacts, message: string): TaskStep => status.message === message ? {} : { status: { state: status.state, message } };

/** Where an error of a step leads: a task that was never started is rejected, a later one failed. */
export const statusAfterError = (status: Pick<TaskStatus, 'state' | 'message'>, error: string, exitCode?: number): NextStatus => ({
  state: taskStateRank(status.state) < taskStateRank('starting') ? 'rejected' : 'failed',
  message: status.message, error, ...(exitCode === undefined ? {} : { exitCode }),
});

/** Steps whose failure ends the task; a failure of the others (giving things back) is tried again. */
export const endsTaskOnError = (action: TaskAction): boolean => action === 'pull' || action === 'attach' || action === 'create' || action === 'start';
