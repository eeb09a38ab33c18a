import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Assignments } from '../model/assignment.ts';
import { errorMessage, OrchError } from '../model/errors.ts';
import type { ContainerId, NodeId, TaskId } from '../model/meta.ts';
import type { NodeDescription } from '../model/node.ts';
import type { NodeNetwork } from '../network/node-network.ts';
import { readContainerResolver, type ResolverConfig } from '../network/resolv-conf.ts';
import type { AgentMessage } from '../proto/session-messages.ts';
import type { ContainerEngine } from '../runtime/engine.ts';
import type { ImageStore } from '../runtime/image-store.ts';
import { abortable } from './abortable.ts';
import { ManagedSession } from './agent-session.ts';
import { ImagePuller } from './image-puller.ts';
import { KeyedLoop } from './keyed-loop.ts';
import type { AgentLink, AgentSession, SessionOpener } from './link.ts';
import { LocalState } from './local-state.ts';
import { planCleanup } from './plan-cleanup.ts';
import { StatusReporter } from './status-reporter.ts';
import { TaskRunner } from './task-runner.ts';

export type AgentOptions = {
  readonly nodeId: NodeId;
  readonly engine: ContainerEngine;
  readonly images: ImageStore;
  readonly network: NodeNetwork;
  /** The agent keeps `agent.db` here. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Version of this program. */
  readonly orchVersion: string;
  /** Read for every session and heartbeat. */
  describe(): NodeDescription;
  /** Nameservers for containers; the node's own when missing. */
  resolver?(): Promise<ResolverConfig>;
};

/** Runs what managers assign to this node, and goes on running it when they, or the agent's own process, come and go. */
export interface Agent extends SessionOpener, AsyncDisposable {
  /** The first message of a session; `openSession` sends it. */
  hello(): AgentMessage;
  /** Leaves in good order: says goodbye and stops working; containers run on. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens the agent on what an earlier run left: takes over the containers of its tasks, removes those that belong to none, works on before any manager answers. */
export function openAgent(options: AgentOptions): Agent {
  const agent = new NodeAgent(options);
  agent.resume();
  return agent;
}

const BRIDGE_KEY = 'bridge';

class NodeAgent implements Agent {
  readonly #options: AgentOptions;
  readonly #state: LocalState;
  readonly #runner: TaskRunner;
  readonly #reporter: StatusReporter;
  /** The bridge under its own key, and each leftover under its container's id. */
  readonly #chores: KeyedLoop;
  /** Subnet that the bridge has now. */
  #configuredSubnet = '';
  #session: ManagedSession | undefined;

  constructor(options: AgentOptions) {
    const { clock, log, engine } = options;
    this.#options = options;
    this.#state = new LocalState(options.dataDir, log);
    this.#reporter = new StatusReporter({ clock, log, persist: () => this.#state.flush() });
    this.#chores = new KeyedLoop({
      clock,
      reconcile: (key, signal) => key === BRIDGE_KEY ? this.#configureBridge() : this.#removeLeftover(key, signal),
      onError: (key, error) => log.warn({ chore: key, error: errorMessage(error) }, 'a chore of the agent failed and is tried again'),
    });
    this.#runner = new TaskRunner({
      ...options, engine, state: this.#state, puller: new ImagePuller(options.images),
      describe: () => options.describe(),
      resolver: () => options.resolver?.() ?? readContainerResolver(),
      networkReady: () => this.#configuredSubnet !== '',
      onStatus: (taskId, status) => this.#reporter.report(taskId, status),
      onForgotten: (taskId) => this.#reporter.forget(taskId),
    });
  }

  /** Called once. An agent whose file is new knows nothing yet: containers of tasks then wait for the first snapshot, which may name them. */
  resume(): void {
    const leftovers = this.#planCleanup();
    const isNew = this.#state.epoch === '';
    for (const id of [...(isNew ? [] : leftovers.containers), ...leftovers.attachments]) this.#chores.enqueue(id);
    if (this.#state.bridgeSubnet !== '') this.#chores.enqueue(BRIDGE_KEY);
    this.#runner.enqueueAll();
  }

  hello(): AgentMessage {
    const { clock, orchVersion } = this.#options;
    return {
      type: 'hello', description: this.#options.describe(), assignmentEpoch: this.#state.epoch, assignmentSequence: this.#state.sequence, orchVersion, nowMs: clock.now(),
    };
  }

  openSession(link: AgentLink): AgentSession {
    this.#session?.end(new OrchError('ORCH_CONFLICT', 'The agent has opened another session'));
    const session = new ManagedSession(link, {
      ...this.#options, reporter: this.#reporter,
      describe: () => this.#options.describe(),
      isAssigned: (taskId) => this.#state.task(taskId) !== undefined,
      statuses: () => [...this.#state.tasks()].filter(([, task]) => !task.removed).map(([taskId, { status }]) => [taskId, status] as const),
      assign: (assignments) => this.#assign(assignments),
      setBridgeSubnet: (subnet) => this.#setBridgeSubnet(subnet),
    });
    this.#session = session;
    link.send(this.hello());
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.leave();
    await this.#runner[Symbol.asyncDispose]();
    await this.#chores[Symbol.asyncDispose]();
    this.#state[Symbol.dispose]();
  }

  #assign(assignments: Assignments): void {
    const taskIds = this.#applyAssignments(assignments);
    if (assignments.bridgeSubnet !== undefined) this.#setBridgeSubnet(assignments.bridgeSubnet);
    if (assignments.snapshot) for (const id of this.#planCleanup().containers) this.#chores.enqueue(id);
    for (const taskId of taskIds) this.#runner.enqueue(taskId);
  }

  #applyAssignments(assignments: Assignments): readonly TaskId[] {
    try {
      return this.#state.applyAssignments(assignments);
    } catch (error) {
      this.#state.forgetSequence();
      throw error;
    }
  }

  #setBridgeSubnet(subnet: string): void {
    if (subnet === '' || subnet === this.#state.bridgeSubnet) return;
    this.#state.setBridgeSubnet(subnet);
    this.#chores.enqueue(BRIDGE_KEY);
  }

  async #configureBridge(): Promise<void> {
    const subnet = this.#state.bridgeSubnet;
    await this.#options.network.configure(subnet);
    this.#configuredSubnet = subnet;
    this.#runner.enqueueAll();
  }

  #planCleanup(): ReturnType<typeof planCleanup> {
    const { nodeId, engine, network } = this.#options;
    return planCleanup({ nodeId, containers: engine.list(), attachments: network.attachments(), taskIds: [...this.#state.tasks()].map(([taskId]) => taskId) });
  }

  async #removeLeftover(containerId: ContainerId, signal: AbortSignal): Promise<void> {
    const { engine, network, log } = this.#options;
    const leftovers = this.#planCleanup();
    if (![...leftovers.containers, ...leftovers.attachments].includes(containerId)) return; // a manager has named its task in the meantime
    if (engine.find(containerId)) {
      log.info({ containerId }, 'a container of no task is removed');
      await abortable(engine.stop(containerId), signal);
      await engine.remove(containerId, { force: true });
    }
    await network.detach(containerId);
  }
}
