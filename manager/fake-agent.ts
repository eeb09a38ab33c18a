import type { Clock } from '../base/clock.ts';
import type { AssignedTask } from '../model/assignment.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { NodeId, RevisionId, TaskId } from '../model/meta.ts';
import type { NodeDescription, NodeRole } from '../model/node.ts';
import type { Revision } from '../model/service.ts';
import { isEnded, isWanted, type TaskState, type TaskStatus } from '../model/task.ts';
import type { ManagerMessage, NodePlane, SessionHandler, TaskReport } from '../proto/session-messages.ts';

/** What a simulated container of an image does; plain images run until they are stopped. */
export type Behaviour = {
  /** Ends with this code as soon as it runs. */
  readonly exitCode?: number;
  /** Can't be prepared. */
  readonly rejected?: boolean;
  /** Never gets further than preparing. */
  readonly hangs?: boolean;
  /** From being told to stop until it has stopped. */
  readonly stopMs?: number;
};

export type FakeAgentOptions = {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly role?: NodeRole;
  readonly address?: string;
  readonly description: NodeDescription;
  readonly clock: Clock;
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  readonly plane: () => NodePlane;
};

type Held = { readonly assigned: AssignedTask; readonly status: TaskStatus; readonly stopping: boolean };

/** An agent in this process for tests: speaks the session's messages and simulates tasks without containers. */
export class FakeAgent {
  readonly nodeId: NodeId;
  /** Every message from the manager, oldest first. */
  readonly received: ManagerMessage[] = [];
  readonly tasks = new Map<TaskId, Held>();
  readonly revisions = new Map<RevisionId, Revision>();
  /** Lines that a subscription to a task's log gets. */
  readonly logs = new Map<TaskId, readonly LogRecord[]>();
  /** The error that ended the last session, as text. */
  lastError: string | undefined;
  readonly #options: FakeAgentOptions;
  #handler: SessionHandler | undefined;
  #session = new AbortController();
  #power = new AbortController();
  #periodMs = 1_000;
  #sequence = 0;

  constructor(options: FakeAgentOptions) {
    this.nodeId = options.nodeId;
    this.#options = options;
  }

  get connected(): boolean { return this.#handler !== undefined; }

  /** Opens a session and says hello. Throws what the manager refuses it with. */
  connect(): void {
    const { nodeId, clusterId, role = 'worker', address = '192.0.2.1', description, clock } = this.#options;
    this.#session = new AbortController();
    const session = this.#session;
    this.#handler = this.#options.plane().openSession({ nodeId, role, clusterId, address }, {
      send: (message) => { if (!this.#power.signal.aborted) this.#receive(message); },
      close: (error) => { if (session === this.#session) this.#endSession(error); },
    });
    this.#handler.receive({ type: 'hello', description, assignmentEpoch: '', assignmentSequence: 0, orchVersion: '0.1.0', nowMs: clock.now() });
    this.#heartbeat(session.signal);
    this.report([...this.tasks.values()].map(({ assigned, status }) => ({ taskId: assigned.id, status })));
  }

  /** The power cord: no more messages, the tasks are gone, nobody is told. */
  kill(): void {
    this.#session.abort(new Error('power cut'));
    this.#power.abort(new Error('power cut'));
    this.#handler = undefined;
    this.tasks.clear();
  }

  /** After `kill` or `disconnect`: the machine is on and connects. */
  start(): void {
    this.#power = new AbortController();
    this.connect();
  }

  /** The network: the stream breaks, the tasks run on. */
  disconnect(): void {
    const handler = this.#handler;
    this.#endSession(new Error('connection lost'));
    handler?.closed(new Error('connection lost'));
  }

  goodbye({ forGood = false } = {}): void {
    const handler = this.#handler;
    handler?.receive({ type: 'goodbye', forGood });
    this.#endSession(undefined);
    handler?.closed(undefined);
  }

  /** Ends a running task by itself. */
  exit(taskId: TaskId, exitCode: number): void { this.#set(taskId, exitCode === 0 ? 'complete' : 'failed', { exitCode }); }

  /** Sends these reports as they are. */
  report(reports: readonly TaskReport[]): void {
    if (reports.length === 0 || !this.#handler) return;
    this.#sequence += 1;
    this.#handler.receive({ type: 'status', sequence: this.#sequence, reports });
  }

  #endSession(error: Error | undefined): void {
    this.lastError = error?.message;
    this.#handler = undefined;
    this.#session.abort(error);
  }

  #heartbeat(signal: AbortSignal): void {
    this.#options.clock.sleep(this.#periodMs, signal).then(() => {
      this.#handler?.receive({ type: 'heartbeat' });
      this.#heartbeat(signal);
    }, () => { /* the session is over */ });
  }

  #receive(message: ManagerMessage): void {
    this.received.push(message);
    if (message.type === 'welcome' || message.type === 'heartbeat-ack') this.#periodMs = message.heartbeatPeriodMs;
    else if (message.type === 'log-subscription') this.#publish(message.id, message.taskId, message.query);
    else if (message.type === 'assignments') this.#assign(message);
  }

  #assign({ assignments }: Extract<ManagerMessage, { type: 'assignments' }>): void {
    for (const revision of assignments.revisions) this.revisions.set(revision.id, revision);
    const kept = new Set(assignments.tasks.map((task) => task.id));
    for (const id of this.tasks.keys()) if (assignments.removedTaskIds.includes(id) || (assignments.snapshot && !kept.has(id))) this.tasks.delete(id);
    for (const assigned of assignments.tasks) {
      const held = this.tasks.get(assigned.id);
      this.tasks.set(assigned.id, { assigned, status: held?.status ?? assigned.status, stopping: held?.stopping ?? false });
      queueMicrotask(() => this.#step(assigned.id));
    }
    for (const id of assignments.removedRevisionIds) this.revisions.delete(id);
  }

  #step(taskId: TaskId): void {
    const held = this.tasks.get(taskId);
    if (!held || isEnded(held.status.state)) return;
    const { desired, revisionId } = held.assigned;
    const behaviour = this.#options.behaviours.get(this.revisions.get(revisionId)?.template.container.image ?? '') ?? {};
    if (!isWanted(desired)) return this.#stop(held, behaviour);
    if (behaviour.rejected) return this.#set(taskId, 'rejected', { error: 'no such image' });
    this.#set(taskId, 'preparing');
    if (behaviour.hangs) return;
    this.#set(taskId, 'ready');
    if (desired === 'ready') return;
    this.#set(taskId, 'running');
    if (behaviour.exitCode !== undefined) queueMicrotask(() => this.exit(taskId, behaviour.exitCode ?? 0));
  }

  #stop(held: Held, { stopMs = 0 }: Behaviour): void {
    const { id } = held.assigned;
    if (held.stopping) return;
    this.tasks.set(id, { ...held, stopping: true });
    if (stopMs === 0) return this.#set(id, 'shutdown');
    this.#options.clock.sleep(stopMs, this.#power.signal).then(() => this.#set(id, 'shutdown'), () => { /* power cut */ });
  }

  #set(taskId: TaskId, state: TaskState, more: Partial<TaskStatus> = {}): void {
    const held = this.tasks.get(taskId);
    if (!held || isEnded(held.status.state)) return;
    const container = state === 'running' || held.status.container ? { container: { id: `container-of-${taskId}`, pid: state === 'running' ? 1 : 0, addresses: [] } } : {};
    const status: TaskStatus = { ...container, ...more, state, atMs: this.#options.clock.now(), message: state };
    this.tasks.set(taskId, { ...held, status });
    this.report([{ taskId, status }]);
  }

  #publish(id: string, taskId: TaskId, query: LogQuery): void {
    const { nodeId, clusterId, plane } = this.#options;
    const records = this.logs.get(taskId) ?? [];
    async function* stream(): AsyncIterable<LogRecord> { yield* records.slice(-Math.min(query.tail, records.length) || records.length); }
    plane().receiveLogs({ nodeId, role: 'worker', clusterId, address: '192.0.2.1' }, id, stream()).catch(() => { /* the reader is gone */ });
  }
}
