import { newId } from '../../base/ids.ts';
import { defaultClusterSpec, type ClusterSpec } from '../../model/cluster.ts';
import { OrchError } from '../../model/errors.ts';
import type { NodeId } from '../../model/meta.ts';
import { nodeName, type Node } from '../../model/node.ts';
import type { Task } from '../../model/task.ts';
import type { ManagerMessage, Peer, SessionChannel, SessionHandler, TaskReport } from '../../proto/session-messages.ts';
import type { Change, View } from '../../store/store.ts';
import { commitAsLeader, COMMIT_BATCH, type LoopContext } from '../loop-context.ts';
import { theCluster } from '../orchestrator/read-service.ts';
import { isAssigned } from './assignment-set.ts';
import { BatchWriter } from './batch-writer.ts';
import { heartbeatPeriodMs, jitteredPeriodMs, SILENT_PERIODS } from './heartbeat.ts';
import { Liveness } from './liveness.ts';
import { NodeRecords } from './node-records.ts';
import { startOrphanLoop } from './orphans.ts';
import { Session, type Hello, type SessionEvents } from './session.ts';
import { applyReports, checkReports } from './task-reports.ts';

/** A broken connection is not yet a dead node: its agent dials again at once. */
const RECONNECT_MS = 2_000;
/** Time for a node that left in good order (an upgrade, a reboot) to come back before its tasks run elsewhere. */
const AWAY_MS = 15_000;
/**
 * On top of the silent periods, after this manager began to lead: agents have to find it first. An agent waits up to 8 s between attempts, and one
 * that it began while the manager was gone may take 10 s to fail; the tasks of a node that lives must not run twice for that.
 */
const FIND_LEADER_MS = 20_000;
/** Reports that share a commit at most. */
const MAX_REPORTS = 1_000;

export type DispatcherOptions = {
  /** Addresses that agents may dial, HOST:PORT. */
  readonly managerAddresses: () => readonly string[];
  /** Told when a node's session has ended. */
  readonly onSessionEnd: (nodeId: NodeId) => void;
};

/** The leader's side of all agents' sessions: who is alive, what each node has to do, what its tasks do. */
export class Dispatcher implements AsyncDisposable {
  readonly #context: LoopContext;
  readonly #options: DispatcherOptions;
  readonly #sessions = new Map<NodeId, Session>();
  /** Sessions whose agents have to hear something. */
  readonly #stale = new Set<Session>();
  readonly #liveness: Liveness;
  readonly #records: NodeRecords;
  readonly #reports: BatchWriter<TaskReport>;
  readonly #scope = new AsyncDisposableStack();
  readonly #events: SessionEvents = {
    hello: (session, hello) => this.#greet(session, hello),
    heard: (session) => this.#expectHeartbeat(session.peer.nodeId),
    heartbeat: (session) => session.send({ type: 'heartbeat-ack', heartbeatPeriodMs: jitteredPeriodMs(this.#periodMs(), this.#context.random) }),
    description: (session, description) => this.#records.set(session.peer.nodeId, { description }),
    reports: (session, reports) => this.#receiveReports(session.peer.nodeId, reports),
    goodbye: (session, forGood) => this.#sayGoodbye(session, forGood),
    broken: (session) => this.#loseConnection(session),
  };

  /** Use `startDispatcher`. */
  constructor(context: LoopContext, options: DispatcherOptions) {
    this.#context = context;
    this.#options = options;
    this.#records = this.#scope.use(new NodeRecords(context));
    this.#liveness = this.#scope.use(new Liveness({ clock: context.clock, onDown: (nodeId, message) => this.#markDown(nodeId, message) }));
    this.#reports = this.#scope.use(new BatchWriter<TaskReport>({
      maxItems: MAX_REPORTS,
      write: (items) => commitAsLeader(context, (tx) => applyReports(tx, items, context.clock.now())),
    }));
    this.#scope.use(context.store.subscribe(({ changes }) => this.#follow(changes)));
    startOrphanLoop(context, this.#scope);
  }

  /** See NodePlane.openSession. */
  openSession(peer: Peer, channel: SessionChannel): SessionHandler {
    this.#context.store.view((view) => checkPeer(view, peer));
    return new Session(peer, channel, { events: this.#events, epoch: newId(this.#context.random) });
  }

  /** Sends to a node's agent; false when it has no session. */
  send(nodeId: NodeId, message: ManagerMessage): boolean {
    const session = this.#sessions.get(nodeId);
    session?.send(message);
    return session !== undefined;
  }

  /** Expects every node that should be there to open a session in time. */
  awaitNodes(nodes: Iterable<Node>): void {
    for (const { id, status: { state } } of nodes) {
      if (state === 'ready' || state === 'unknown') this.#liveness.expect(id, this.#periodMs() * SILENT_PERIODS + FIND_LEADER_MS, 'not heard of since this manager began to lead');
      else if (state === 'disconnected') this.#liveness.expect(id, AWAY_MS, NOT_BACK);
    }
  }

  /** Ends all sessions: their agents look for the new leader. */
  async [Symbol.asyncDispose](): Promise<void> {
    const moved = new OrchError('ORCH_NOT_MANAGER', 'This manager does not lead the cluster any more', { hint: 'The agent connects to another manager by itself' });
    for (const session of this.#sessions.values()) session.end(moved);
    this.#sessions.clear();
    await this.#scope.disposeAsync();
  }

  #greet(session: Session, hello: Hello): void {
    const { peer } = session;
    const { store, clock, random, log } = this.#context;
    store.view((view) => checkPeer(view, peer));
    const skewMs = Math.abs(clock.now() - hello.nowMs);
    if (skewMs > MAX_SKEW_MS) log.warn({ nodeId: peer.nodeId, skewMs }, 'The clocks of this manager and a node differ');
    const earlier = this.#sessions.get(peer.nodeId);
    if (earlier && this.#forgetSession(earlier)) earlier.end(new OrchError('ORCH_CONFLICT', `Node ${peer.nodeId} has opened another session`));
    this.#sessions.set(peer.nodeId, session);
    this.#expectHeartbeat(peer.nodeId);
    this.#records.set(peer.nodeId, { description: hello.description, role: peer.role, state: 'ready', message: '', address: peer.address });
    store.view((view) => {
      session.send({
        type: 'welcome', nodeId: peer.nodeId, clusterId: peer.clusterId, managers: this.#options.managerAddresses(),
        heartbeatPeriodMs: jitteredPeriodMs(this.#periodMs(), random), bridgeSubnet: view.node.get(peer.nodeId)?.bridgeSubnet ?? '',
      });
      session.sendSnapshot(view);
    });
  }

  #receiveReports(nodeId: NodeId, reports: readonly TaskReport[]): Promise<void> {
    this.#context.store.view((view) => checkReports(view, nodeId, reports));
    return Promise.all(reports.map((report) => this.#reports.add(report))).then(() => undefined);
  }

  #sayGoodbye(session: Session, forGood: boolean): void {
    const { nodeId } = session.peer;
    if (!this.#forgetSession(session)) return;
    if (forGood) {
      this.#liveness.forget(nodeId);
      this.#records.set(nodeId, { state: 'down', message: LEFT_CLUSTER });
      return;
    }
    this.#records.set(nodeId, { state: 'disconnected', message: LEFT });
    this.#liveness.expect(nodeId, AWAY_MS, NOT_BACK);
  }

  #loseConnection(session: Session): void {
    if (this.#forgetSession(session)) this.#liveness.expect(session.peer.nodeId, RECONNECT_MS, 'its connection broke and it did not come back');
  }

  /** False for a session that another one of its node has replaced. */
  #forgetSession(session: Session): boolean {
    const { nodeId } = session.peer;
    if (this.#sessions.get(nodeId) !== session) return false;
    this.#sessions.delete(nodeId);
    this.#options.onSessionEnd(nodeId);
    return true;
  }

  #markDown(nodeId: NodeId, message: string): void {
    const session = this.#sessions.get(nodeId);
    if (session && this.#forgetSession(session)) session.end(new OrchError('ORCH_TIMEOUT', `Node ${nodeId} was silent for too long`));
    this.#records.set(nodeId, { state: 'down', message });
    this.#context.log.warn({ nodeId, reason: message }, 'A node is down');
  }

  #expectHeartbeat(nodeId: NodeId): void {
    const withinMs = this.#periodMs() * SILENT_PERIODS;
    this.#liveness.expect(nodeId, withinMs, `silent for ${withinMs / 1_000} s`);
  }

  #periodMs(): number {
    return this.#context.store.view((view) => heartbeatPeriodMs(clusterSpec(view), view.node.count));
  }

  #follow(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'task') this.#followTask(change);
      else if (change.kind === 'node') this.#followNode(change);
    }
    if (this.#stale.size > 0) queueMicrotask(() => this.#sendChanges());
  }

  #followTask({ id, before, after }: Change<'task'>): void {
    const nodeId = (after ?? before)?.nodeId;
    const session = nodeId === undefined ? undefined : this.#sessions.get(nodeId);
    if (!session || isSameForAgent(before, after)) return;
    session.markChanged(id);
    this.#stale.add(session);
  }

  #followNode({ id, before, after }: Change<'node'>): void {
    const session = this.#sessions.get(id);
    if (!after) {
      this.#liveness.forget(id);
      if (session && this.#forgetSession(session)) session.end(removedError(id));
      return;
    }
    if (!before && !session) this.#liveness.expect(id, AWAY_MS, 'it has not connected yet');
    if (!session) return;
    if (before?.bridgeSubnet !== after.bridgeSubnet) this.#stale.add(session);
    if (before && before.spec.role !== after.spec.role) session.send({ type: 'renew-now' });
  }

  #sendChanges(): void {
    const stale = [...this.#stale];
    this.#stale.clear();
    this.#context.store.view((view) => { for (const session of stale) session.sendChanges(view); });
  }
}

const LEFT = 'left in good order';
const LEFT_CLUSTER = 'left the cluster';
const NOT_BACK = 'left in good order and did not come back';
const MAX_SKEW_MS = 60_000;

/** What an agent itself reports of its tasks is no news to it. */
const isSameForAgent = (before: Task | undefined, after: Task | undefined): boolean =>
  before !== undefined && after !== undefined && before.desired === after.desired && isAssigned(before) === isAssigned(after);

const clusterSpec = (view: View): ClusterSpec => theCluster(view)?.spec ?? defaultClusterSpec;

const removedError = (nodeId: NodeId): OrchError =>
  new OrchError('ORCH_FORBIDDEN', `Node ${nodeId} was removed from the cluster`, { hint: 'It can join again with `orch leave --force` and a join token' });

function checkPeer(view: View, peer: Peer): void {
  if (view.blockedNode.get(peer.nodeId)) throw removedError(peer.nodeId);
  const node = view.node.get(peer.nodeId);
  if (!node) throw new OrchError('ORCH_NOT_FOUND', `Node ${peer.nodeId} is not in this cluster`, { hint: 'It can join again with a join token' });
  const cluster = theCluster(view);
  if (cluster && cluster.id !== peer.clusterId) throw new OrchError('ORCH_FORBIDDEN', `Node ${nodeName(node)} has a certificate of another cluster (${peer.clusterId})`);
}

/** Takes over from the leader before: every node that was ready is unknown until its agent is heard of. */
export async function startDispatcher(context: LoopContext, scope: AsyncDisposableStack, options: DispatcherOptions): Promise<Dispatcher> {
  const { store, clock } = context;
  const ready = store.view((view) => [...view.node.list()].filter((node) => node.status.state === 'ready').map((node) => node.id));
  for (let start = 0; start < ready.length; start += COMMIT_BATCH) {
    await commitAsLeader(context, (tx) => {
      for (const id of ready.slice(start, start + COMMIT_BATCH)) {
        const node = tx.node.get(id);
        if (node?.status.state === 'ready') tx.node.update({ ...node, status: { ...node.status, state: 'unknown', message: 'waiting for its agent', atMs: clock.now() } });
      }
    });
  }
  const dispatcher = scope.use(new Dispatcher(context, options));
  store.view((view) => dispatcher.awaitNodes(view.node.list()));
  return dispatcher;
}
