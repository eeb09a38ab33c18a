import type { Labels, Meta, RevisionId, ServiceId } from './meta.ts';
import type { Platform } from './node.ts';
import type { ResourceRequirements } from './resources.ts';

export type Mount = {
  readonly type: 'bind' | 'tmpfs' | 'volume';
  /** Host path (bind) or volume name (volume); empty for tmpfs. */
  readonly source: string;
  /** Absolute path inside the container. */
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation?: 'rprivate' | 'private' | 'rshared' | 'shared' | 'rslave' | 'slave';
  readonly tmpfs?: { readonly sizeBytes?: number; /** Octal permission bits as a number. */ readonly mode?: number };
};

export type Ulimit = { readonly name: string; readonly soft: number; readonly hard: number };

export type HealthCheck = {
  /** `['NONE']`, `['CMD', ...]` or `['CMD-SHELL', text]`; empty inherits the image's. */
  readonly test: readonly string[];
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly startPeriodMs?: number;
  readonly startIntervalMs?: number;
};

/** How to run one container. Missing fields take the image's value. */
export type ContainerSpec = {
  /** The reference exactly as the user wrote it. */
  readonly image: string;
  /** Replaces the image's entrypoint. */
  readonly command?: readonly string[];
  /** Replaces the image's command (the arguments of the entrypoint). */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly labels?: Labels;
  readonly hostname?: string;
  readonly dir?: string;
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly readOnly?: boolean;
  readonly stopSignal?: string;
  /** From the stop signal to SIGKILL; 10 s when missing, as Docker. */
  readonly stopGraceMs?: number;
  readonly mounts?: readonly Mount[];
  /** Lines of /etc/hosts, `address name`. */
  readonly hosts?: readonly string[];
  readonly dns?: { readonly nameservers?: readonly string[]; readonly search?: readonly string[]; readonly options?: readonly string[] };
  readonly capabilityAdd?: readonly string[];
  readonly capabilityDrop?: readonly string[];
  readonly sysctls?: Labels;
  readonly ulimits?: readonly Ulimit[];
  readonly oomScoreAdj?: number;
  readonly healthCheck?: HealthCheck;
  readonly init?: boolean;
  readonly noNewPrivileges?: boolean;
};

export type RestartPolicy = {
  readonly condition: 'none' | 'on-failure' | 'any';
  readonly delayMs: number;
  /** 0 is without end. */
  readonly maxAttempts: number;
  /** Attempts count only within this window; 0 counts them all. */
  readonly windowMs: number;
};

export type Placement = {
  /** As written: `node.labels.disk == ssd`. */
  readonly constraints: readonly string[];
  /** Descriptors to spread over, most important first: `node.labels.zone`. */
  readonly spread: readonly string[];
  /** 0 is unlimited. */
  readonly maxReplicasPerNode: number;
  /** What the image can run on; empty is anywhere. */
  readonly platforms: readonly Platform[];
};

/** `none`, `host`, `bridge`, or the name or id of a network. */
export type NetworkAttachment = { readonly target: string; readonly aliases: readonly string[] };

/** Everything of a service that changes its tasks when it changes. */
export type TaskTemplate = {
  readonly container: ContainerSpec;
  readonly resources: ResourceRequirements;
  readonly restart: RestartPolicy;
  readonly placement: Placement;
  /** Empty is the node's bridge. */
  readonly networks: readonly NetworkAttachment[];
  readonly logDriver?: { readonly name: string; readonly options: Labels };
  /** Grows to replace all tasks without another change. */
  readonly forceUpdate: number;
};

export type PublishedPort = {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly targetPort: number;
  /** 0 asks for any free one. */
  readonly publishedPort: number;
  readonly mode: 'ingress' | 'host';
  readonly name?: string;
};

export type UpdateConfig = {
  /** Tasks replaced at the same time; 0 is all. */
  readonly parallelism: number;
  readonly delayMs: number;
  readonly failureAction: 'pause' | 'continue' | 'rollback';
  /** How long a new task is watched for failure. */
  readonly monitorMs: number;
  /** In [0, 1]. */
  readonly maxFailureRatio: number;
  readonly order: 'stop-first' | 'start-first';
};

export type ServiceMode = { readonly type: 'replicated'; readonly replicas: number } | { readonly type: 'global' };

/** The user's wish; written only by the API and never rewritten by the system. */
export type ServiceSpec = {
  readonly name: string;
  readonly labels: Labels;
  readonly template: TaskTemplate;
  readonly mode: ServiceMode;
  readonly update: UpdateConfig;
  readonly rollback: UpdateConfig;
  readonly endpoint: { readonly mode: 'vip' | 'dnsrr'; readonly ports: readonly PublishedPort[] };
};

export type UpdateStatus = {
  readonly state: 'updating' | 'paused' | 'completed' | 'rollback-started' | 'rollback-paused' | 'rollback-completed';
  readonly startedAtMs: number;
  readonly completedAtMs?: number;
  readonly message: string;
};

export type Service = Meta & {
  readonly spec: ServiceSpec;
  /** The wish before the last change; what a rollback returns to. */
  readonly previousSpec?: ServiceSpec;
  /** Revision that holds `spec.template`. */
  readonly revisionId: RevisionId;
  readonly previousRevisionId?: RevisionId;
  /** Written only by the update orchestrator; the API clears it with every change of the spec, and begins it when the user asks for a rollback. */
  readonly updateStatus?: UpdateStatus;
  /** Set by `service rm`: the orchestrator removes its tasks, then the service itself. */
  readonly removing?: boolean;
};

/** One immutable task template of a service; tasks name it and never copy it. */
export type Revision = Meta & { readonly serviceId: ServiceId; readonly template: TaskTemplate; readonly ports: readonly PublishedPort[] };
