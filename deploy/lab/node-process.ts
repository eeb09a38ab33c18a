import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { isErrno } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import type { Lab, LabNode } from './lab-state.ts';
import { dataDirOf, runDirOf } from './lab-state.ts';

const POLL_MS = 5;
const LIMIT_MS = 10_000;
const KILL_LIMIT_MS = 10_000;

/** Starts the node's namespaces and its pid 1, which waits for its network and then runs the daemon. Returns the node with its pids. */
export async function startNode(lab: Lab, node: LabNode, options: { clock: Clock; daemonArgv: readonly string[] }): Promise<LabNode> {
  const data = dataDirOf(lab, node);
  const run = runDirOf(lab, node);
  rmSync(run, { recursive: true, force: true }); // what a reboot does to /run
  mkdirSync(data, { recursive: true, mode: 0o700 });
  mkdirSync(run, { recursive: true, mode: 0o755 });
  const output = openSync(join(lab.directory, node.name, 'init.log'), 'a');
  const child = spawn('unshare', ['-m', '-p', '-n', '-u', '-i', '--fork', '--kill-child', '--mount-proc', '--',
    join(import.meta.dirname, 'init.sh'), node.name, data, run, ...options.daemonArgv], { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  child.unref();
  const launcher = child.pid;
  if (launcher === undefined) throw new OrchError('ORCH_RUNTIME', `Node ${node.name} of the lab could not be started: unshare did not run`);
  const initPid = await firstChildOf(launcher, options.clock);
  return { ...node, initPid, initStartTime: processStartTime(initPid) };
}

async function firstChildOf(pid: number, clock: Clock): Promise<number> {
  for (const deadlineMs = clock.monotonic() + LIMIT_MS; clock.monotonic() < deadlineMs; await clock.sleep(POLL_MS)) {
    const child = Number(readIfExists(`/proc/${pid}/task/${pid}/children`).trim().split(' ')[0]);
    if (child > 0) return child;
    if (!existsSync(`/proc/${pid}`)) break;
  }
  throw new OrchError('ORCH_RUNTIME', 'A lab node did not start: its namespaces could not be made', { hint: 'Are you root, with CAP_SYS_ADMIN?' });
}

const readIfExists = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return '';
    throw error;
  }
};

/** Field 22 of /proc/PID/stat, counted after the command name in brackets; empty when there is no such process. */
const processStartTime = (pid: number): string => readIfExists(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19] ?? '';

/** True while the node's pid 1 lives. */
export const isNodeUp = (node: LabNode): boolean => node.initPid > 0 && node.initStartTime !== '' && processStartTime(node.initPid) === node.initStartTime;

/** Host pid of the node's daemon; 0 when it does not run just now. */
export function daemonPidOf(node: LabNode): number {
  if (!isNodeUp(node)) return 0;
  const inside = readIfExists(`/proc/${node.initPid}/root/run/orch/daemon.pid`).trim();
  const children = readIfExists(`/proc/${node.initPid}/task/${node.initPid}/children`).trim().split(' ').filter((text) => text !== '');
  return children.map(Number).find((pid) => readIfExists(`/proc/${pid}/status`).match(/^NSpid:.*\t(\d+)$/m)?.[1] === inside) ?? 0;
}

/** Host pids of every node's processes whose data lies below `directory`, known by their command line: also nodes that an interrupted `orch lab up` had no time to write down. */
function strayNodes(directory: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    const argv = readIfExists(`/proc/${pid}/cmdline`).split('\0');
    const script = argv.findIndex((word) => word.endsWith('/lab/init.sh'));
    return script >= 0 && argv[script + 2] === join(directory, argv[script + 1] ?? '', 'data');
  });
}

/** Ends every node below `directory`, written down or not; returns whether there was one. */
export async function killNodesBelow(directory: string, clock: Clock): Promise<boolean> {
  const seen = new Set<number>();
  for (const deadlineMs = clock.monotonic() + KILL_LIMIT_MS; clock.monotonic() < deadlineMs; await clock.sleep(POLL_MS)) {
    const pids = strayNodes(directory);
    for (const pid of pids) seen.add(pid);
    for (const pid of pids) killIfAlive(pid);
    if (pids.length === 0 && [...seen].every(hasEnded)) return seen.size > 0;
  }
  throw new OrchError('ORCH_RUNTIME', `Nodes of the lab at ${directory} did not die`);
}

/** A pid 1 has lost its command line before all processes of its namespace are dead; only then it is gone, or waits to be reaped. */
const hasEnded = (pid: number): boolean => ['', 'Z'].includes(readIfExists(`/proc/${pid}/stat`).split(') ').at(-1)?.[0] ?? '');

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** Power cut: every process of the node is gone at once; its data stays. */
export async function killNode(node: LabNode, clock: Clock): Promise<void> {
  if (!isNodeUp(node)) return;
  process.kill(node.initPid, 'SIGKILL');
  for (const deadlineMs = clock.monotonic() + KILL_LIMIT_MS; clock.monotonic() < deadlineMs; await clock.sleep(POLL_MS)) {
    if (!isNodeUp(node)) return;
  }
  throw new OrchError('ORCH_RUNTIME', `Node ${node.name} of the lab did not die`);
}

/** Removes the control groups that a dead node leaves, deepest first; `engineId` names its parent group. */
export function removeControlGroups(engineId: string): void {
  if (!/^[a-z0-9]+$/.test(engineId)) return;
  const roots = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup', { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join('/sys/fs/cgroup', entry.name))];
  for (const root of roots) removeGroupTree(join(root, 'orch', engineId));
}

function removeGroupTree(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeGroupTree(join(path, entry.name));
  rmdirSync(path);
}
