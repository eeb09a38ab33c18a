import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { Semaphore } from '../base/semaphore.ts';
import { assertNever, errorMessage, isOrchError } from '../model/errors.ts';
import type { NodeId, TaskId } from '../model/meta.ts';
import type { NodeDescription } from '../model/node.ts';
import type { Revision } from '../model/service.ts';
import { isEnded, isWanted, nextTaskStatus, type TaskStatus } from '../model/task.ts';
import type { Attachment, NodeNetwork } from '../network/node-network.ts';
import type { ResolverConfig } from '../network/resolv-conf.ts';
import type { ContainerEngine } from '../runtime/engine.ts';
import { abortable } from './abortable.ts';
import type { ImagePuller } from './image-puller.ts';
import { KeyedLoop } from './keyed-loop.ts';
import type { LocalState, LocalTask } from './local-state.ts';
import { hostPortsOf, networkModeOf, planContainer } from './plan-container.ts';
import { endsTaskOnError, planTaskStep, statusAfterError, type NextStatus, type TaskAction, type TaskFacts } from './plan-task-step.ts';
import { containerIdOf, taskLabels } from './task-names.ts';

export type TaskRunnerOptions = {
  readonly nodeId: NodeId;
  readonly engine: ContainerEngine;
  readonly puller: ImagePuller;
  readonly network: NodeNetwork;
  readonly state: LocalState;
  readonly clock: Clock;
  readonly log: Log;
  readonly describe: () => NodeDescription;
  readonly resolver: () => Promise<ResolverConfig>;
  /** False while the node has no bridge. */
  readonly networkReady: () => boolean;
  /** Told of every new status, after it is in `state`. */
  readonly onStatus: (taskId: TaskId, status: TaskStatus) => void;
  readonly onForgotten: (taskId: TaskId) => void;
};

/** Containers made, started or removed at once. More would only share the same CPUs; waiting for a pull or a stop takes no place. */
const CONTAINERS_AT_ONCE = 8;

/** Moves every assigned task to where it should be, each by itself: one that is stuck holds up no other. */
export class TaskRunner implements AsyncDisposable {
  readonly #options: TaskRunnerOptions;
  readonly #heavy = new Semaphore(CONTAINERS_AT_ONCE);
  readonly #loop: KeyedLoop;
  readonly #events: Disposable;
  /** Aborts the pull of a task that is not wanted any more. */
  readonly #pulling = new Map<TaskId, AbortController>();
  /** To notice an action that succeeds and changes nothing, which would repeat without end. */
  readonly #lastAction = new Map<TaskId, TaskAction>();
  readonly #waitingForPorts = new Set<TaskId>();

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    this.#loop = new KeyedLoop({
      clock: options.clock,
      reconcile: (taskId, signal) => this.#step(taskId, signal),
      onError: (taskId, error) => options.log.warn({ taskId, error: errorMessage(error) }, 'a step of a task failed and is tried again'),
    });
    this.#events = options.engine.subscribe(({ container }) => {
      const taskId = container.create.labels[taskLabels.taskId];
      if (taskId !== undefined && options.state.task(taskId)) this.enqueue(taskId);
    });
  }

  /** Looks at the task again; to be called whenever anything that concerns it has changed. */
  enqueue(taskId: TaskId): void {
    const task = this.#options.state.task(taskId);
    if (!task || task.removed || !isWanted(task.assigned.desired)) this.#pulling.get(taskId)?.abort(new Error('the task is not wanted any more'));
    this.#loop.enqueue(taskId);
  }

  enqueueAll(): void { for (const [taskId] of this.#options.state.tasks()) this.enqueue(taskId); }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#events[Symbol.dispose]();
    await this.#loop[Symbol.asyncDispose]();
  }

  async #step(taskId: TaskId, signal: AbortSignal): Promise<void> {
    const task = this.#options.state.task(taskId);
    if (!task) return void this.#lastAction.delete(taskId);
    const facts = this.#observe(task);
    if (facts.portsLeaving) this.#waitingForPorts.add(taskId);
    const { status, action } = planTaskStep(facts);
    if (status) this.#setStatus(taskId, status);
    if (action) await this.#act(taskId, action, signal);
    else this.#lastAction.delete(taskId);
    if (status ?? action) this.#loop.enqueue(taskId);
  }

  #observe(task: LocalTask): TaskFacts {
    const { engine, puller, state, networkReady } = this.#options;
    const revision = state.revision(task.assigned.revisionId);
    const ports = revision ? hostPortsOf(revision) : [];
    return {
      desired: task.assigned.desired, removed: task.removed, status: task.status, revisionKnown: revision !== undefined,
      container: engine.find(containerIdOf(task.assigned.id)),
      imagePresent: revision !== undefined && puller.isPresent(revision.template.container.image),
      network: revision && isHostNetwork(revision) ? 'host' : this.#attachmentOf(task.assigned.id) ? 'attached' : 'detached',
      networkReady: networkReady() || (revision?.template.networks[0]?.target === 'none'),
      publishesPorts: ports.length > 0,
      portsLeaving: ports.length > 0 && this.#arePortsLeaving(task.assigned.id, revision),
    };
  }

  #attachmentOf(taskId: TaskId): Attachment | undefined {
    const containerId = containerIdOf(taskId);
    return this.#options.network.attachments().find((attachment) => attachment.containerId === containerId);
  }

  /** True when a task that is over, or told to be, still has a port that this one wants. */
  #arePortsLeaving(taskId: TaskId, revision: Revision | undefined): boolean {
    const wanted = new Set((revision ? hostPortsOf(revision) : []).map((port) => `${port.publishedPort}/${port.protocol}`));
    const holders = new Set(this.#options.network.attachments()
      .filter((attachment) => attachment.ports.some((port) => wanted.has(`${port.publishedPort}/${port.protocol}`)))
      .map((attachment) => attachment.containerId));
    if (holders.size === 0) return false;
    for (const [id, other] of this.#options.state.tasks()) {
      if (id !== taskId && holders.has(containerIdOf(id)) && this.#isLeaving(other)) return true;
    }
    return false;
  }

  #isLeaving({ assigned, removed, status }: LocalTask): boolean {
    return removed || !isWanted(assigned.desired) || isEnded(status.state) || this.#options.engine.find(containerIdOf(assigned.id))?.state === 'exited';
  }

  async #act(taskId: TaskId, action: TaskAction, signal: AbortSignal): Promise<void> {
    if (this.#lastAction.get(taskId) === action) {
      this.#lastAction.delete(taskId);
      throw new Error(`step ${action} has changed nothing`);
    }
    try {
      await abortable(this.#perform(taskId, action, signal), signal);
      this.#lastAction.set(taskId, action);
    } catch (error) {
      signal.throwIfAborted();
      this.#lastAction.delete(taskId);
      if (!endsTaskOnError(action)) throw error;
      this.#endAfterError(taskId, action, error);
    }
  }

  #endAfterError(taskId: TaskId, action: TaskAction, error: unknown): void {
    const task = this.#options.state.task(taskId);
    if (!task || task.removed || !isWanted(task.assigned.desired)) return; // it is on its way out: why it could not go on does not matter
    const exitCode = isOrchError(error) ? error.details['exitCode'] : undefined;
    this.#options.log.warn({ taskId, action, error: errorMessage(error) }, 'a task ended with an error');
    this.#setStatus(taskId, statusAfterError(task.status, errorMessage(error), typeof exitCode === 'number' ? exitCode : undefined));
  }

  async #perform(taskId: TaskId, action: TaskAction, signal: AbortSignal): Promise<void> {
    const { engine, network } = this.#options;
    const containerId = containerIdOf(taskId);
    switch (action) {
      case 'pull': return await this.#pull(taskId, signal);
      case 'attach': return await this.#attach(taskId);
      case 'create': return await this.#heavy.run(() => this.#create(taskId), signal);
      case 'start': return await this.#heavy.run(async () => void await engine.start(containerId), signal);
      case 'stop': return void await engine.stop(containerId);
      case 'remove-container': return await this.#heavy.run(() => engine.remove(containerId, { force: true }), signal);
      case 'detach': {
        await network.detach(containerId);
        const waiting = [...this.#waitingForPorts];
        this.#waitingForPorts.clear();
        return waiting.forEach((id) => this.enqueue(id));
      }
      case 'forget': {
        this.#options.state.forget(taskId);
        return this.#options.onForgotten(taskId);
      }
      default: return assertNever(action);
    }
  }

  async #pull(taskId: TaskId, signal: AbortSignal): Promise<void> {
    const abort = new AbortController();
    this.#pulling.set(taskId, abort);
    try {
      await this.#options.puller.pull(this.#planned(taskId).revision.template.container.image, AbortSignal.any([signal, abort.signal]));
    } finally {
      this.#pulling.delete(taskId);
    }
  }

  async #attach(taskId: TaskId): Promise<void> {
    const { revision } = this.#planned(taskId);
    const mode = networkModeOf(revision);
    if (mode !== 'host') await this.#options.network.attach({ containerId: containerIdOf(taskId), mode, ports: hostPortsOf(revision) });
  }

  async #create(taskId: TaskId): Promise<void> {
    const { engine, nodeId, describe, resolver } = this.#options;
    const { task, revision } = this.#planned(taskId);
    await engine.create(planContainer(task.assigned, revision, { nodeId, description: describe(), resolver: await resolver(), attachment: this.#attachmentOf(taskId) }));
  }

  #planned(taskId: TaskId): { readonly task: LocalTask; readonly revision: Revision } {
    const task = this.#options.state.task(taskId);
    const revision = task && this.#options.state.revision(task.assigned.revisionId);
    if (!task || !revision) throw new Error(`task ${taskId} or its revision went away during a step`);
    return { task, revision };
  }

  #setStatus(taskId: TaskId, next: NextStatus): void {
    const { state, clock, engine, onStatus } = this.#options;
    const task = state.task(taskId);
    if (!task) return;
    const container = engine.find(containerIdOf(taskId));
    const attachment = this.#attachmentOf(taskId);
    const status = nextTaskStatus(task.status, {
      ...next, atMs: clock.now(),
      ...(container ? { container: { id: container.id, pid: container.pid, addresses: attachment?.addresses ?? task.status.container?.addresses ?? [] } } : {}),
      ...(attachment && attachment.ports.length > 0 ? { ports: attachment.ports.map(({ protocol, targetPort, publishedPort }) => ({ protocol, targetPort, publishedPort })) } : {}),
    });
    if (!status) throw new Error(`task ${taskId} can't go from ${task.status.state} to ${next.state}`);
    state.setStatus(taskId, status);
    onStatus(taskId, status);
  }
}

const isHostNetwork = (revision: Revision): boolean => revision.template.networks[0]?.target === 'host';
