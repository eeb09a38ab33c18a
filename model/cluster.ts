import type { Labels, Meta } from './meta.ts';

export type ClusterSpec = {
  readonly name: string;
  readonly labels: Labels;
  /** Ended tasks kept per slot; negative keeps all. Default 5. */
  readonly taskHistoryLimit: number;
  /** Longest time between two heartbeats of an agent; 0 adapts to the cluster's size (1 s when small). */
  readonly heartbeatPeriodMs: number;
  /** Life of node certificates; default 90 days. */
  readonly certificateLifeMs: number;
  /** Pool from which node bridges take their subnets, CIDR. Default `10.200.0.0/16`, one /24 a node. */
  readonly bridgePool: string;
};

/** The one object of its kind; its id is the cluster id of certificates. */
export type Cluster = Meta & {
  readonly spec: ClusterSpec;
  readonly ca: {
    readonly certificatePem: string;
    /** CA private key, sealed with the managers' data key (AES-256-GCM), base64. */
    readonly sealedKey: string;
  };
  /** Join tokens, one a role. */
  readonly joinTokens: { readonly worker: string; readonly manager: string };
};

export const defaultClusterSpec: ClusterSpec = {
  name: 'default', labels: {}, taskHistoryLimit: 5, heartbeatPeriodMs: 0, certificateLifeMs: 90 * 24 * 3_600_000, bridgePool: '10.200.0.0/16',
};
