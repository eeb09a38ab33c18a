import type { ContainerId } from './meta.ts';
import type { ResourceLimits } from './resources.ts';
import type { HealthCheck, Mount, Ulimit } from './service.ts';

/** Where a container's network comes from; made by the network layer before the container starts. */
export type ContainerNetwork =
  | { readonly mode: 'none' }
  | { readonly mode: 'host' }
  /** An existing network namespace to enter. */
  | { readonly mode: 'namespace'; readonly path: string };

/** All that is needed to make one container; nothing is taken from a service any more. */
export type ContainerCreate = {
  readonly id: ContainerId;
  /** Unique on the node; `[a-zA-Z0-9][a-zA-Z0-9_.-]*`. */
  readonly name: string;
  /** Image id or reference that is present on the node. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly workingDir?: string;
  readonly user?: string;
  readonly groups: readonly string[];
  readonly tty: boolean;
  readonly readOnly: boolean;
  readonly stopSignal?: string;
  readonly stopGraceMs: number;
  readonly mounts: readonly Mount[];
  readonly hosts: readonly string[];
  readonly dns: { readonly nameservers: readonly string[]; readonly search: readonly string[]; readonly options: readonly string[] };
  readonly capabilityAdd: readonly string[];
  readonly capabilityDrop: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: readonly Ulimit[];
  readonly oomScoreAdj: number;
  readonly noNewPrivileges: boolean;
  readonly limits: ResourceLimits;
  readonly healthCheck?: HealthCheck;
  readonly network: ContainerNetwork;
};

export type ContainerState = 'created' | 'running' | 'exited';

export type Container = {
  readonly id: ContainerId;
  readonly name: string;
  readonly create: ContainerCreate;
  readonly imageId: string;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  /** 0 until started. */
  readonly startedAtMs: number;
  /** 0 until exited. */
  readonly exitedAtMs: number;
  /** Host pid while running, else 0. */
  readonly pid: number;
  /** Once exited: 0-255, 128 + signal when killed; undefined when its monitor was lost and nobody knows. */
  readonly exitCode?: number;
  readonly oomKilled: boolean;
  /** Why it could not start or be watched. */
  readonly error?: string;
};

export type ContainerEvent = { readonly action: 'create' | 'start' | 'die' | 'kill' | 'stop' | 'destroy' | 'oom'; readonly container: Container; readonly atMs: number };
