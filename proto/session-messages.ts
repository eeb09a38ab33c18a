import type { Assignments } from '../model/assignment.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { NodeId, TaskId } from '../model/meta.ts';
import type { NodeDescription, NodeRole } from '../model/node.ts';
import type { TaskStatus } from '../model/task.ts';

/** Messages of a session in model terms; `proto/` converts them to and from the wire. */
export type AgentMessage =
  | { readonly type: 'hello'; readonly description: NodeDescription; readonly assignmentEpoch: string; readonly assignmentSequence: number; readonly orchVersion: string; readonly nowMs: number }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'status'; readonly sequence: number; readonly reports: readonly TaskReport[] }
  /** `forGood`: the node has left its cluster; otherwise it is expected back. */
  | { readonly type: 'goodbye'; readonly forGood: boolean }
  | { readonly type: 'description'; readonly description: NodeDescription };

export type TaskReport = { readonly taskId: TaskId; readonly status: TaskStatus };

export type ManagerMessage =
  | { readonly type: 'welcome'; readonly nodeId: NodeId; readonly heartbeatPeriodMs: number; readonly managers: readonly string[]; readonly bridgeSubnet: string; readonly clusterId: string }
  | { readonly type: 'heartbeat-ack'; readonly heartbeatPeriodMs: number }
  | { readonly type: 'assignments'; readonly assignments: Assignments }
  | { readonly type: 'status-accepted'; readonly sequence: number }
  | { readonly type: 'log-subscription'; readonly id: string; readonly taskId: TaskId; readonly query: LogQuery }
  | { readonly type: 'log-cancel'; readonly id: string }
  | { readonly type: 'renew-now' };

/** Who is at the other end of a session, proved by its certificate. */
export type Peer = { readonly nodeId: NodeId; readonly role: NodeRole; readonly clusterId: string; /** Address of the connection, without port. */ readonly address: string };

/** The manager's end of one agent's session. */
export type SessionHandler = {
  /** Called for every message, in order. Throwing ends the session with that error. */
  receive(message: AgentMessage): void;
  /** The stream is gone; `error` undefined when the agent closed it in order. Called once. */
  closed(error: Error | undefined): void;
};

/** What the dispatcher may do with a session's stream. */
export type SessionChannel = {
  send(message: ManagerMessage): void;
  /** Ends the stream with this error (undefined: in order). */
  close(error?: Error): void;
};

/** What the gRPC server asks of the manager behind it. */
export interface NodePlane {
  /** Throws ORCH_FORBIDDEN for a removed node, ORCH_NOT_FOUND for an unknown one. */
  openSession(peer: Peer, channel: SessionChannel): SessionHandler;
  renewCertificate(peer: Peer, csrPem: string): Promise<{ certificatePem: string; caPem: string }>;
  /** Log records of a subscription arriving from an agent; throws ORCH_NOT_FOUND for a subscription that is not this node's. */
  receiveLogs(peer: Peer, subscriptionId: string, records: AsyncIterable<LogRecord>): Promise<void>;
}

/** What the gRPC server asks of the manager for nodes that are not yet in the cluster. */
export interface JoinPlane {
  ca(): { caPem: string; nowMs: number };
  /** Throws ORCH_BAD_TOKEN, ORCH_CLOCK_SKEW, ORCH_INVALID (CSR). The node record is durable when it resolves. */
  issueCertificate(request: { token: string; csrPem: string; availability: string; hostname: string; advertiseAddress: string; nowMs: number; remoteAddress: string }): Promise<{ nodeId: NodeId; certificatePem: string; caPem: string; clusterId: string; role: NodeRole }>;
}
