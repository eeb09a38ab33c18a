import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { isOrchError } from '../../model/errors.ts';
import type { NodeId } from '../../model/meta.ts';
import { findCgroupMounts } from '../cgroups/cgroup-mounts.ts';
import { NodeCgroups } from '../cgroups/node-cgroups.ts';
import type { ContainerEngine } from '../engine.ts';
import type { ImageStore } from '../image-store.ts';
import { findOciRuntime, type RuntimeName } from '../oci/command-runtime.ts';
import { readHostFacts } from '../oci/host-facts.ts';
import type { ShimClient } from '../shim-client.ts';
import { adoptContainer, findTraces, removeOrphans } from './adopt-containers.ts';
import { DirectoryContainerEngine } from './container-engine.ts';
import { ContainerJournal } from './container-journal.ts';
import type { ContainerRecord } from './container-record.ts';
import type { EngineContext } from './engine-context.ts';
import { enginePaths } from './paths.ts';

export type ContainerEngineOptions = {
  /** Kept for good; on a file system that overlayfs can write to. */
  readonly dataDir: string;
  /** Emptied by a reboot; at most 68 bytes long, because unix sockets lie in it. */
  readonly runDir: string;
  /** Names the cgroups, `/orch/<nodeId>`; unique on the host. */
  readonly nodeId: NodeId;
  readonly images: ImageStore;
  /** Outlives the engine. */
  readonly shim: ShimClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Missing takes runc, else crun. */
  readonly runtime?: RuntimeName;
  /** Directory of a named volume on this host, made when missing. */
  readonly volumePath?: (name: string) => Promise<string>;
};

/**
 * Opens the node's container engine and takes over what runs: a container whose monitor lives is running, one with an exit
 * file has exited, and one with neither is killed and has exited in an unknown way. Throws ORCH_RUNTIME without an OCI
 * runtime, ORCH_CORRUPT when its records cannot be read, ORCH_INVALID for a run directory with too long a path.
 */
export async function openContainerEngine(options: ContainerEngineOptions): Promise<ContainerEngine> {
  const { shim, clock, images, log } = options;
  const paths = enginePaths(options.dataDir, options.runDir);
  await Promise.all([paths.containers, paths.monitors, paths.runtimeRoot].map((path) => mkdir(path, { recursive: true, mode: 0o700 })));
  const [runtime, mounts, host] = await Promise.all([
    findOciRuntime({ runner: shim, root: paths.runtimeRoot, ...(options.runtime === undefined ? {} : { name: options.runtime }) }),
    findCgroupMounts(),
    readHostFacts(),
  ]);
  const cgroups = new NodeCgroups(options.nodeId, mounts, clock);
  const { journal, records } = await ContainerJournal.open(paths.journal);
  const context: EngineContext = { paths, images, shim, runtime, cgroups, journal, host, clock, log, volumePath: options.volumePath };
  const engine = new DirectoryContainerEngine(context);
  const traces = await findTraces(context);
  await removeOrphans(context, traces, new Set(records.keys()));
  await Promise.all(records.entries().map(async ([id, record]) => {
    const [adoption, lowerDirs] = await Promise.all([adoptContainer(context, record), acquireLayers(images, record)]);
    await engine.adopt({ record, lowerDirs, adoption, hasTraces: traces.has(id) });
  }));
  return engine;
}

/** A container whose image has gone cannot start again, but what it left can still be read and removed. */
async function acquireLayers(images: ImageStore, record: ContainerRecord): Promise<readonly string[]> {
  try {
    return (await images.acquireLayers(record.imageId, record.create.id)).lowerDirs;
  } catch (error) {
    if (isOrchError(error, 'ORCH_NOT_FOUND')) return [];
    throw error;
  }
}
