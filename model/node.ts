import type { Labels, Meta } from './meta.ts';

export type NodeRole = 'worker' | 'manager';
/** active: takes tasks; pause: keeps its tasks, takes no new ones; drain: its tasks are stopped and run elsewhere. */
export type NodeAvailability = 'active' | 'pause' | 'drain';
/** unknown: not heard of since the manager started; disconnected: left the session in good order. */
export type NodeState = 'unknown' | 'ready' | 'down' | 'disconnected';

/** The user's wish; written only by the API. */
export type NodeSpec = {
  /** Empty means the node is known by its hostname. */
  readonly name: string;
  readonly labels: Labels;
  readonly role: NodeRole;
  readonly availability: NodeAvailability;
};

/** os and arch as in OCI images: `linux`, `amd64`, `arm64`. */
export type Platform = { readonly os: string; readonly arch: string };

/** What the agent says of its node; written only by the dispatcher. */
export type NodeDescription = {
  readonly hostname: string;
  readonly platform: Platform;
  readonly resources: { readonly nanoCpus: number; readonly memoryBytes: number };
  readonly engineVersion: string;
  readonly engineLabels: Labels;
};

export type NodeStatus = {
  readonly state: NodeState;
  /** Why, when the state is not `ready`. */
  readonly message: string;
  /** Address the agent's connection comes from; empty before the first session. */
  readonly address: string;
  readonly atMs: number;
};

export type Node = Meta & {
  readonly spec: NodeSpec;
  /** Observed role: that of the certificate it now uses; written by the role loop. */
  readonly role: NodeRole;
  readonly description?: NodeDescription;
  readonly status: NodeStatus;
  /** Address at which other nodes reach it, as given when it joined; missing means the one its connection comes from. */
  readonly advertiseAddress?: string;
  /** Subnet of the node's bridge, unique in the cluster, CIDR such as `10.200.3.0/24`; written only by the allocator. */
  readonly bridgeSubnet?: string;
  /** Why it has no subnet; written only by the allocator. */
  readonly bridgeProblem?: string;
};

/** A removed node's id: its certificate is refused at once. */
export type BlockedNode = Meta;

/** The name people use for a node: its spec's name, else its hostname, else its id. */
export const nodeName = (node: Node): string => node.spec.name || node.description?.hostname || node.id;
