import type { Cluster, ClusterSpec } from '../model/cluster.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { NodeId, RevisionId, ServiceId, TaskId } from '../model/meta.ts';
import type { Node, NodeAvailability, NodeRole, NodeSpec } from '../model/node.ts';
import type { Revision, Service, ServiceSpec } from '../model/service.ts';
import type { Task } from '../model/task.ts';

/** One thing that happened to a cluster object; becomes a Docker event with scope `swarm`. */
export type ControlEvent = {
  readonly type: 'service' | 'node' | 'task' | 'network';
  readonly action: 'create' | 'update' | 'remove';
  readonly id: string;
  /** Such as `name`, `state.old`, `state.new`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
};

export type TaskLogRecord = LogRecord & { readonly task: Task };

/** What the API asks of a manager. Every write is durable when its promise resolves. */
export interface ControlPlane {
  cluster(): Cluster;
  /** Throws ORCH_CONFLICT when `version` is not the current one. */
  updateCluster(version: number, spec: ClusterSpec, rotate: { workerToken: boolean; managerToken: boolean }): Promise<void>;

  nodes(): readonly Node[];
  /** By id, id prefix, name or hostname. Throws ORCH_NOT_FOUND, or ORCH_INVALID when it names several. */
  node(reference: string): Node;
  /** Set for manager nodes. */
  managerStatus(nodeId: NodeId): { readonly leader: boolean; readonly reachability: 'reachable' | 'unreachable' | 'unknown'; readonly address: string } | undefined;
  updateNode(id: NodeId, version: number, spec: NodeSpec): Promise<void>;
  /** Throws ORCH_IN_USE unless the node is down or `force`. Its certificate is refused from then on. */
  removeNode(id: NodeId, options: { force: boolean }): Promise<void>;

  services(): readonly Service[];
  service(reference: string): Service;
  createService(spec: ServiceSpec): Promise<{ readonly id: ServiceId; readonly warnings: readonly string[] }>;
  /** `rollback: true` returns to the previous spec and ignores `spec`. */
  updateService(id: ServiceId, version: number, spec: ServiceSpec, options: { rollback: boolean }): Promise<{ readonly warnings: readonly string[] }>;
  /** Resolves once the wish to remove is durable; its tasks go after. */
  removeService(id: ServiceId): Promise<void>;
  revision(id: RevisionId): Revision | undefined;
  /** Tasks that run and that are wanted, of each service. */
  serviceCounts(id: ServiceId): { readonly running: number; readonly desired: number; readonly completed: number };

  tasks(): readonly Task[];
  task(reference: string): Task;

  /** Changes from now on; listening starts with the call. */
  events(signal: AbortSignal): AsyncIterable<ControlEvent>;
  /** Logs of the tasks that have a node, merged by time where they do not follow; ends when all have ended and nothing follows. Nodes that can't be reached are reported by `onUnavailable`. */
  taskLogs(taskIds: readonly TaskId[], query: LogQuery, options: { signal: AbortSignal; onUnavailable(task: Task, reason: string): void; /** With `follow`, tasks of this service that start later join in. */ serviceId?: ServiceId }): AsyncIterable<TaskLogRecord>;
}

export type SwarmState = {
  readonly localState: 'inactive' | 'pending' | 'active' | 'error';
  readonly error: string;
  readonly nodeId: NodeId;
  readonly nodeAddress: string;
  readonly role?: NodeRole;
  /** Managers this node knows. */
  readonly managers: readonly { readonly nodeId: NodeId; readonly address: string }[];
};

export type SwarmInit = { readonly advertiseAddress: string; readonly listenAddress: string; readonly availability: NodeAvailability; readonly spec: Partial<ClusterSpec>; readonly forceNewCluster: boolean };
export type SwarmJoin = { readonly token: string; readonly managerAddresses: readonly string[]; readonly advertiseAddress: string; readonly listenAddress: string; readonly availability: NodeAvailability };

/** What the API asks of the node it runs on, in or out of a cluster. */
export interface Membership {
  state(): SwarmState;
  /** Makes a new cluster with this node as its first manager. Throws ORCH_ALREADY_IN_CLUSTER, ORCH_INVALID (address). */
  init(request: SwarmInit): Promise<NodeId>;
  /** Joins with a token; resolves once the node has its certificate and its first session. Throws ORCH_BAD_TOKEN, ORCH_UNREACHABLE, ORCH_CLOCK_SKEW, ORCH_ALREADY_IN_CLUSTER. */
  join(request: SwarmJoin): Promise<void>;
  /** Leaves the cluster; the last manager only with `force`. The node's tasks stop. */
  leave(options: { force: boolean }): Promise<void>;
  /** Undefined on a node that is not a manager. */
  control(): ControlPlane | undefined;
}
