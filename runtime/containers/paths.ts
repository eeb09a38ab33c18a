import { join } from 'node:path';
import { OrchError } from '../../model/errors.ts';
import type { ContainerId } from '../../model/meta.ts';

/** Paths of one container; `directory` is its OCI bundle. */
type ContainerPaths = {
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

const SOCKET_PATH_BYTES = 107;
/** Half an id, still 128 bits, so that longer run directories fit. */
const SOCKET_NAME_LENGTH = 32;
const LONGEST_SOCKET = `/m/${'0'.repeat(SOCKET_NAME_LENGTH)}.tty`;

/** Paths below the daemon's data directory (kept) and run directory (lost at reboot). Throws ORCH_INVALID when sockets would have too long paths in the run directory. */
export function enginePaths(dataDir: string, runDir: string): EnginePaths {
  const mostBytes = SOCKET_PATH_BYTES - LONGEST_SOCKET.length;
  if (Buffer.byteLength(runDir) > mostBytes) {
    throw new OrchError('ORCH_INVALID', `The run directory "${runDir}" has too long a path for the unix sockets in it`, { hint: `Choose one of at most ${mostBytes} bytes` });
  }
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
