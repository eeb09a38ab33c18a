import { readdir, rm } from 'node:fs/promises';
import { isErrno } from '../../base/files.ts';
import { errorMessage } from '../../model/errors.ts';
import type { ContainerId } from '../../model/meta.ts';
import { ConnectionLost } from '../shim/frame-connection.ts';
import { MonitorClient } from '../shim/monitor-client.ts';
import type { ContainerRecord } from './container-record.ts';
import type { EngineContext } from './engine-context.ts';
import { readExitRecord, type ExitRecord } from './exit-record.ts';

/** What became of a container while no daemon watched. */
export type Adoption =
  | { readonly state: 'unchanged' }
  | { readonly state: 'running'; readonly pid: number; readonly startedAtMs: number; readonly runNumber: number; readonly monitor: MonitorClient }
  | { readonly state: 'exited'; readonly exit: ExitRecord }
  /** It was running; its monitor is gone and nobody wrote down how it ended. */
  | { readonly state: 'lost' };

/** A container of an earlier daemon, for the engine to go on with. */
export type Adopted = { readonly record: ContainerRecord; readonly lowerDirs: readonly string[]; readonly adoption: Adoption; readonly hasTraces: boolean };

/** Finds out, in the order in which it cannot be wrong: a living monitor, then its exit file, then nothing. Changes nothing. */
export async function adoptContainer(context: EngineContext, record: ContainerRecord): Promise<Adoption> {
  const paths = context.paths.of(record.create.id);
  if (record.state === 'exited') return { state: 'unchanged' };
  const running = await findMonitor(paths.controlSocket);
  if (running) return { state: 'running', ...running };
  const exit = await readExitRecord(paths.exit);
  // A run whose start was not yet on disk is newer than the record.
  if (exit && exit.runNumber >= record.runNumber) return { state: 'exited', exit };
  return { state: record.state === 'running' ? 'lost' : 'unchanged' };
}

async function findMonitor(path: string): Promise<{ pid: number; startedAtMs: number; runNumber: number; monitor: MonitorClient } | undefined> {
  const monitor = await MonitorClient.connect(path);
  if (!monitor) return undefined;
  try {
    const { pid, startedAtMs, runNumber } = await monitor.status();
    return { pid, startedAtMs, runNumber: Number(runNumber), monitor };
  } catch (error) {
    monitor[Symbol.dispose]();
    if (error instanceof ConnectionLost) return undefined;
    throw error;
  }
}

/** Ids of containers with runtime state or cgroups. */
export async function findTraces(context: EngineContext): Promise<ReadonlySet<ContainerId>> {
  const [states, cgroups] = await Promise.all([listDirectory(context.paths.runtimeRoot), context.cgroups.list()]);
  return new Set([...states, ...cgroups]);
}

/** Removes what a crash left of containers without a record: processes, runtime state, cgroups, directories. What cannot be removed is logged; the next open tries again. */
export async function removeOrphans(context: EngineContext, traces: ReadonlySet<ContainerId>, known: ReadonlySet<ContainerId>): Promise<void> {
  const directories = new Set(await listDirectory(context.paths.containers));
  for (const id of traces.union(directories).difference(known)) {
    try {
      if (traces.has(id)) await removeTraces(context, id);
      await rm(context.paths.of(id).directory, { recursive: true, force: true });
    } catch (error) {
      context.log.error({ containerId: id, error: errorMessage(error) }, 'the remains of an unknown container cannot be removed');
    }
  }
}

/** Kills what is left of a container's processes and removes its runtime state and cgroups. */
export async function removeTraces({ cgroups, runtime }: EngineContext, id: ContainerId): Promise<void> {
  await cgroups.killAll(id);
  await runtime.delete(id, { force: true });
  await cgroups.remove(id);
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
