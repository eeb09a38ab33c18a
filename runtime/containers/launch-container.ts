import { rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { OrchError } from '../../model/errors.ts';
import { ConnectionLost } from '../shim/frame-connection.ts';
import { MonitorClient } from '../shim/monitor-client.ts';
import type { MonitorStart, MonitorStarted } from '../shim-client.ts';
import { startFailure, lastRuntimeMessage } from '../oci/runtime-message.ts';
import type { ContainerEntry } from './container-entry.ts';
import type { EngineContext } from './engine-context.ts';
import { readExitRecord } from './exit-record.ts';

const ORPHAN_ATTEMPTS = 20;
const ORPHAN_PAUSE_MS = 50;

/** A container that has been started; `monitor` is missing when it has exited already. */
export type Launched = { readonly pid: number; readonly startedAtMs: number; readonly monitor: MonitorClient | undefined };

/** `onSent` is called once nothing but the fork server's death can keep the run from beginning. */
export type Launch = { readonly runNumber: number; readonly onSent: () => void };

/** Starts a prepared container. Throws ORCH_RUNTIME with the reason, and the exit code in its details; ORCH_NO_SPACE. */
export async function launchContainer(context: EngineContext, entry: ContainerEntry, launch: Launch): Promise<Launched> {
  const paths = context.paths.of(entry.id);
  await Promise.all([paths.exit, paths.runtimeLog, paths.pid].map((path) => rm(path, { force: true })));
  const started = await startOrFind(context, entry, launch);
  if (started.ok) return { pid: started.pid, startedAtMs: started.startedAtMs, monitor: await MonitorClient.connect(paths.controlSocket) };
  throw launchFailure(entry.record.create.name, started);
}

function launchFailure(name: string, { stage, errno, reason, text }: Extract<MonitorStarted, { ok: false }>): OrchError {
  if (stage === 'runtime') return startFailure(name, lastRuntimeMessage(text) || reason);
  if (errno === constants.errno.ENOSPC) return new OrchError('ORCH_NO_SPACE', `No space is left for container "${name}": ${stage}`);
  const [kind, detail] = stage.split(': ');
  if (kind === 'root') return new OrchError('ORCH_RUNTIME', `Container "${name}" cannot start: /${detail} of its root file system is not a directory that can be used: ${reason}`);
  const hint = kind === 'overlay' ? 'The data directory must be on a file system that overlayfs can write to, such as ext4, xfs or btrfs' : undefined;
  return new OrchError('ORCH_RUNTIME', `Container "${name}" cannot start: ${stage}: ${reason} ${text}`.trim(), { hint });
}

/** When the server dies between request and answer, its monitor lives on and knows the answer. */
async function startOrFind(context: EngineContext, entry: ContainerEntry, { runNumber, onSent }: Launch): Promise<MonitorStarted> {
  try {
    return await context.shim.startContainer(monitorStart(context, entry, runNumber), onSent);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    const found = await findOrphan(context, entry, runNumber);
    if (found) return found;
    throw error;
  }
}

async function findOrphan(context: EngineContext, entry: ContainerEntry, runNumber: number): Promise<MonitorStarted | undefined> {
  const paths = context.paths.of(entry.id);
  for (let attempt = 0; attempt < ORPHAN_ATTEMPTS; attempt += 1) {
    const status = await askMonitor(paths.controlSocket);
    if (status) return { ok: true, ...status };
    const exit = await readExitRecord(paths.exit);
    if (exit?.runNumber === runNumber) return { ok: true, pid: 0, startedAtMs: exit.startedAtMs };
    await context.clock.sleep(ORPHAN_PAUSE_MS);
  }
  return undefined;
}

async function askMonitor(path: string): Promise<{ pid: number; startedAtMs: number } | undefined> {
  using monitor = await MonitorClient.connect(path);
  try {
    return await monitor?.status();
  } catch (error) {
    if (error instanceof ConnectionLost) return undefined;
    throw error;
  }
}

function monitorStart(context: EngineContext, entry: ContainerEntry, runNumber: number): MonitorStart {
  const { id, record, lowerDirs } = entry;
  const paths = context.paths.of(id);
  const console = record.create.tty ? { consoleSocket: paths.consoleSocket } : {};
  return {
    argv: context.runtime.runCommand({ id, bundle: paths.directory, pidFile: paths.pid, log: paths.runtimeLog, ...console }),
    cwd: paths.directory,
    overlay: { target: paths.rootfs, lower: lowerDirs, upper: paths.upper, work: paths.work },
    controlSocket: paths.controlSocket,
    ...console,
    logPath: paths.log, exitPath: paths.exit, pidPath: paths.pid, runtimeLog: paths.runtimeLog,
    oomFiles: context.cgroups.oomFiles(id),
    runNumber: String(runNumber),
  };
}
