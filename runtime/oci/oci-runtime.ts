import type { ContainerId } from '../../model/meta.ts';

/** Where the runtime finds one container and leaves its traces. */
export type OciBundle = {
  readonly id: ContainerId;
  /** Directory with config.json. */
  readonly bundle: string;
  /** The runtime writes the container's pid here. */
  readonly pidFile: string;
  /** The runtime appends its messages here, one JSON object a line. */
  readonly log: string;
  /** With a terminal: the unix socket that takes its descriptor. */
  readonly consoleSocket?: string;
};

/** What the runtime knows of a container; `pid` is 0 when it does not run. */
export type OciState = { readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped'; readonly pid: number; readonly bundle: string };

/** A program that follows the OCI runtime specification: runc or crun. */
export interface OciRuntime {
  readonly name: string;
  readonly version: string;
  /** The command that creates and starts the container in one step and returns once it runs; the container inherits its standard streams. A monitor runs it. */
  runCommand(bundle: OciBundle): readonly string[];
  /** Makes the container up to its last step, the program itself. Throws ORCH_RUNTIME with the runtime's reason. */
  create(bundle: OciBundle): Promise<void>;
  /** Lets a created container's program begin. Throws ORCH_RUNTIME. */
  start(id: ContainerId): Promise<void>;
  /** Sends a signal, by number, to the container's first process. Throws ORCH_RUNTIME when it does not run. */
  kill(id: ContainerId, signal: number): Promise<void>;
  /** Forgets a stopped container and removes its cgroups; with `force` kills it first. Idempotent with `force`. */
  delete(id: ContainerId, options: { force: boolean }): Promise<void>;
  /** Undefined when the runtime does not know it. */
  state(id: ContainerId): Promise<OciState | undefined>;
}
