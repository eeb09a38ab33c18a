import { join } from 'node:path';
import type { ContainerId } from '../../model/meta.ts';

/** Paths of one container; `directory` is its OCI bundle. */
export type ContainerPaths = {
  readonly directory: string;
  readonly config: string;
  /** Where its root appears in its own mount namespace; empty on the host. */
  readonly rootfs: string;
  /** What it changes of its image. */
  readonly upper: string;
  readonly work: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
  readonly log: string;
  readonly exit: string;
  readonly pid: string;
  readonly runtimeLog: string;
  readonly controlSocket: string;
  readonly consoleSocket: string;
};

/** Where an engine keeps everything. */
export type EnginePaths = {
  readonly journal: string;
  /** One directory per container. */
  readonly containers: string;
  /** Sockets of monitors; gone after a reboot. */
  readonly monitors: string;
  /** State of the OCI runtime; gone after a reboot. */
  readonly runtimeRoot: string;
  of(id: ContainerId): ContainerPaths;
};

/** A unix socket's path has at most 107 bytes, so sockets are named by half an id: still 128 bits. */
const SOCKET_NAME_LENGTH = 32;

/** Paths below the daemon's data directory (kept) and run directory (lost at reboot). */
export function enginePaths(dataDir: string, runDir: string): EnginePaths {
  const containers = join(dataDir, 'containers');
  const monitors = join(runDir, 'm');
  return {
    journal: join(dataDir, 'containers.journal'),
    containers,
    monitors,
    runtimeRoot: join(runDir, 'runtime'),
    of(id) {
      const directory = join(containers, id);
      const socket = join(monitors, id.slice(0, SOCKET_NAME_LENGTH));
      return {
        directory,
        config: join(directory, 'config.json'),
        rootfs: join(directory, 'rootfs'),
        upper: join(directory, 'upper'),
        work: join(directory, 'work'),
        hosts: join(directory, 'hosts'),
        hostname: join(directory, 'hostname'),
        resolvConf: join(directory, 'resolv.conf'),
        log: join(directory, 'log'),
        exit: join(directory, 'exit'),
        pid: join(directory, 'pid'),
        runtimeLog: join(directory, 'runtime.log'),
        controlSocket: socket,
        consoleSocket: `${socket}.tty`,
      };
    },
  };
}
