import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import type { AssignedTask, Assignments } from '../model/assignment.ts';
import type { LogRecord } from '../model/log-record.ts';
import type { TaskId } from '../model/meta.ts';
import type { Revision } from '../model/service.ts';
import type { DesiredState, TaskStatus } from '../model/task.ts';
import { revision as newRevision } from '../model/testing.ts';
import type { AgentMessage } from '../proto/session-messages.ts';
import type { AgentLink, AgentSession } from './link.ts';
import { openAgent, type Agent } from './open-agent.ts';
import { FakeEngine, fakeDescription, FakeImages, FakeNetwork } from './testing.ts';

/** A manager in a few lines: says what it is told to, accepts every report, remembers everything it hears. */
export class FakeManager implements AgentLink {
  readonly heard: AgentMessage[] = [];
  /** Newest status of each task. */
  readonly statuses = new Map<TaskId, TaskStatus>();
  readonly logs = new Map<string, string[]>();
  closedWith: Error | undefined;
  isClosed = false;
  /** False leaves reports unanswered. */
  accepts = true;
  readonly #tasks = new Map<TaskId, AssignedTask>();
  readonly #revisions = new Map<string, Revision>();
  #session: AgentSession | undefined;
  #sequence = 0;

  send(message: AgentMessage): void {
    this.heard.push(message);
    if (message.type !== 'status') return;
    for (const { taskId, status } of message.reports) this.statuses.set(taskId, status);
    if (this.accepts) queueMicrotask(() => this.#session?.receive({ type: 'status-accepted', sequence: message.sequence }));
  }

  async publishLogs(id: string, records: AsyncIterable<LogRecord>): Promise<void> {
    const lines: string[] = [];
    this.logs.set(id, lines);
    for await (const record of records) lines.push(Buffer.from(record.line).toString());
  }

  close(error?: Error): void {
    this.isClosed = true;
    this.closedWith = error;
  }

  /** Opens a session with a welcome and a snapshot. */
  connect(agent: Agent, { heartbeatPeriodMs = 1_000, bridgeSubnet = '10.200.3.0/24' } = {}): AgentSession {
    const session = agent.openSession(this);
    this.#session = session;
    this.isClosed = false;
    session.receive({ type: 'welcome', nodeId: 'node1', heartbeatPeriodMs, managers: [], bridgeSubnet, clusterId: 'cluster1' });
    this.#sequence = 1;
    session.receive({ type: 'assignments', assignments: { ...this.#message([...this.#tasks.values()], []), snapshot: true, baseSequence: 0 } });
    return session;
  }

  disconnect(): void {
    this.#session?.closed(undefined);
    this.#session = undefined;
  }

  get session(): AgentSession {
    if (!this.#session) throw new Error('no session');
    return this.#session;
  }

  /** Assigns a task or changes what is wanted of it; sends it when there is a session. */
  assign(id: TaskId, overrides: Partial<AssignedTask> & { readonly revision?: Revision } = {}): void {
    const { revision = newRevision({ id: overrides.revisionId ?? 'revision1' }), ...rest } = overrides;
    this.#revisions.set(revision.id, revision);
    const task: AssignedTask = { id, serviceId: 'service1', serviceName: 'web', serviceLabels: {}, revisionId: revision.id, slot: 1, desired: 'running', status: { state: 'assigned', atMs: 0, message: '' }, ...this.#tasks.get(id), ...rest };
    this.#tasks.set(id, task);
    this.#say([task], []);
  }

  want(id: TaskId, desired: DesiredState): void { this.assign(id, { desired }); }

  remove(id: TaskId): void {
    this.#tasks.delete(id);
    this.#say([], [id]);
  }

  setSubnet(bridgeSubnet: string): void { this.#say([], [], { bridgeSubnet }); }

  #say(tasks: readonly AssignedTask[], removedTaskIds: readonly TaskId[], more: Pick<Assignments, 'bridgeSubnet'> = {}): void {
    if (!this.#session) return;
    this.#sequence += 1;
    this.#session.receive({ type: 'assignments', assignments: { ...this.#message(tasks, removedTaskIds), ...more } });
  }

  #message(tasks: readonly AssignedTask[], removedTaskIds: readonly TaskId[]): Assignments {
    return {
      snapshot: false, epoch: 'epoch1', baseSequence: this.#sequence - 1, sequence: this.#sequence, tasks: tasks.map((task) => ({ ...task, status: this.statuses.get(task.id) ?? task.status })), removedTaskIds,
      revisions: [...this.#revisions.values()], removedRevisionIds: [],
    };
  }
}

/** One node with stand-ins for everything outside the agent, which live on when the agent is opened again. */
export class TestNode implements AsyncDisposable {
  clock = new FakeClock(1_000);
  readonly engine = new FakeEngine(this.clock);
  readonly network = new FakeNetwork();
  readonly images: FakeImages;
  readonly manager = new FakeManager();
  readonly dataDir = mkdtempSync(join(tmpdir(), 'orch-agent-'));
  agent: Agent;

  constructor({ images = ['web:1'] }: { readonly images?: readonly string[] } = {}) {
    this.images = new FakeImages(images);
    this.agent = this.#open();
  }

  /** Ends the agent and opens it anew on the same node. */
  async reopen(): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    this.manager.disconnect();
    this.agent = this.#open();
  }

  /** Lets everything happen that needs no time, and the reports that follow. */
  async settle(): Promise<void> { for (let round = 0; round < 20; round += 1) await this.clock.advance(5); }

  /** `name state` of every container, `attached` when it has a network. */
  containers(): string[] {
    const attached = new Set(this.network.attachments().map((attachment) => attachment.containerId));
    return this.engine.list().map((container) => `${container.name} ${container.state}${attached.has(container.id) ? ' attached' : ''}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    rmSync(this.dataDir, { recursive: true });
  }

  #open(): Agent {
    const { engine, images, network, dataDir, clock } = this;
    return openAgent({
      nodeId: 'node1', engine, images, network, dataDir, clock, log: silentLog, orchVersion: '0.1.0',
      describe: () => fakeDescription, resolver: () => Promise.resolve({ nameservers: ['192.0.2.53'], search: [], options: [] }),
    });
  }
}
