import type { ContainerId } from '../model/meta.ts';
import type { HealthCheck, Mount, Ulimit } from '../model/service.ts';
import type { ResourceLimits } from '../model/resources.ts';

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

export type LogStream = 'stdout' | 'stderr';
export type LogRecord = { readonly stream: LogStream; /** ns since the epoch fit no double: RFC 3339 with nanoseconds. */ readonly time: string; /** Text without its newline, bytes as they were. */ readonly line: Uint8Array; /** True when the process had not ended the line yet. */ readonly partial: boolean };

export type LogQuery = {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Only records at or after this time, ms since the epoch; 0 is all. */
  readonly sinceMs: number;
  /** Only records before this time; 0 is no end. */
  readonly untilMs: number;
  /** Last lines to begin with; Infinity is all. */
  readonly tail: number;
};

export type ContainerEvent = { readonly action: 'create' | 'start' | 'die' | 'kill' | 'stop' | 'destroy' | 'oom'; readonly container: Container; readonly atMs: number };

/** The node's containers. Everything survives a restart of the daemon: `open` re-adopts what runs. */
export interface ContainerEngine extends AsyncDisposable {
  /** Prepares root file system, OCI bundle and records; starts nothing. Throws ORCH_NOT_FOUND (image), ORCH_NAME_TAKEN, ORCH_INVALID, ORCH_NO_SPACE. */
  create(request: ContainerCreate): Promise<Container>;
  /** Starts it; resolves once its first process runs. Throws ORCH_RUNTIME with the runtime's reason; exit code 127 for a missing command and 126 for one that cannot run are in `details.exitCode`. */
  start(id: ContainerId): Promise<Container>;
  /** Sends the stop signal, then SIGKILL after the grace time (ms; default the container's own); resolves once it has exited. No error when it already has. */
  stop(id: ContainerId, graceMs?: number): Promise<Container>;
  /** Sends one signal, by name with or without SIG, or number as text. */
  kill(id: ContainerId, signal: string): Promise<void>;
  /** Resolves once the container has exited (at once when it already has); rejects with the signal's reason when aborted, the container keeps running. */
  wait(id: ContainerId, signal: AbortSignal): Promise<Container>;
  /** Removes container, root, logs and cgroups. Idempotent. Throws ORCH_IN_USE when it runs and `force` is false. */
  remove(id: ContainerId, options: { force: boolean }): Promise<void>;
  list(): readonly Container[];
  /** By id, id prefix or name. */
  find(nameOrId: string): Container | undefined;
  logs(id: ContainerId, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord>;
  /** Calls `listener` on every change, synchronously; until disposed. */
  subscribe(listener: (event: ContainerEvent) => void): Disposable;
}
