import type { Container, ContainerCreate, ContainerEvent } from '../model/container.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { ContainerId } from '../model/meta.ts';

export type { Container, ContainerCreate, ContainerEvent, ContainerState } from '../model/container.ts';
export type { LogQuery, LogRecord } from '../model/log-record.ts';

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
