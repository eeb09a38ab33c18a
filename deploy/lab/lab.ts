import { existsSync, readFileSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { isErrno } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import type { Lab, LabNode } from './lab-state.ts';
import { dataDirOf, findLab, forgetLab, newLab, requireLab, requireNode, runDirOf, saveLab, saveNode, socketOf } from './lab-state.ts';
import { daemonPidOf, isNodeUp, killNode, killNodesBelow, removeControlGroups, startNode } from './node-process.ts';
import { connectNode, createUnderlay, cutNode, cutPair, destroyUnderlay, healAll, limitNode } from './underlay.ts';

/** A request to a node's API; rejects with ORCH_UNREACHABLE while nobody listens. */
export type ApiRequest = (socketPath: string, request: { method: string; path: string; body?: unknown }) => Promise<unknown>;

export type LabEnvironment = {
  readonly clock: Clock;
  readonly request: ApiRequest;
  /** The program of the checkout, `<root>/bin/orch`. */
  readonly launcher: string;
};

export type LabUpOptions = { readonly name: string; readonly nodes: number; readonly managers: number; readonly subnetPrefix: string; /** More arguments of the daemon. */ readonly daemonArgs: readonly string[] };

export type LabNodeStatus = {
  readonly index: number;
  readonly name: string;
  readonly address: string;
  readonly up: boolean;
  readonly initPid: number;
  readonly daemonPid: number;
  readonly dataDir: string;
  readonly runDir: string;
  readonly socket: string;
};

const MAX_NODES = 50;
const POLL_MS = 10;
const READY_LIMIT_MS = 60_000;
const MANAGER_PORT = 2377;

/** Starts a cluster of complete nodes on this host; resolves when every node is Ready. Removes all of it again when that fails. */
export async function labUp(environment: LabEnvironment, options: LabUpOptions): Promise<Lab> {
  checkSize(options);
  if (await findLab(options.name)) throw new OrchError('ORCH_NAME_TAKEN', `A lab "${options.name}" is already up`, { hint: 'Use it, or remove it with `orch lab down`' });
  const nodes = Array.from({ length: options.nodes }, (_, offset): LabNode => ({
    index: offset + 1, name: `n${offset + 1}`, address: `${options.subnetPrefix}.${offset + 1}`, role: offset < options.managers ? 'manager' : 'worker', initPid: 0, initStartTime: '',
  }));
  const lab = newLab(options.name, nodes, options.subnetPrefix);
  await saveLab(lab);
  try {
    await createUnderlay(lab);
    return await bringUp(environment, lab, options.daemonArgs);
  } catch (error) {
    await labDown(environment, options.name);
    throw error;
  }
}

function checkSize(options: LabUpOptions): void {
  if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > MAX_NODES) throw new OrchError('ORCH_INVALID', `A lab has 1 to ${MAX_NODES} nodes, not ${options.nodes}`);
  if (options.managers !== 1) throw new OrchError('ORCH_UNSUPPORTED', `A lab of ${options.managers} managers is not possible: clusters have one manager`, { hint: 'Leave --managers out' });
  if (!/^\d+\.\d+\.\d+$/.test(options.subnetPrefix)) throw new OrchError('ORCH_INVALID', `"${options.subnetPrefix}" is not the first three bytes of a subnet`, { hint: 'Such as 10.88.0' });
}

async function bringUp(environment: LabEnvironment, lab: Lab, daemonArgs: readonly string[]): Promise<Lab> {
  const nodes = await powerOnAll(environment, lab, daemonArgs);
  const running = { ...lab, nodes };
  await saveLab(running);
  const [first, ...others] = nodes;
  if (!first) throw new Error('a lab has at least one node');
  await waitForApi(environment, socketOf(lab, first));
  const firstAddress = `${first.address}:${MANAGER_PORT}`;
  await environment.request(socketOf(lab, first), { method: 'POST', path: '/swarm/init', body: { ListenAddr: firstAddress, AdvertiseAddr: firstAddress } });
  const cluster = await environment.request(socketOf(lab, first), { method: 'GET', path: '/swarm' });
  await Promise.all(others.map(async (node) => {
    await waitForApi(environment, socketOf(lab, node));
    await environment.request(socketOf(lab, node), { method: 'POST', path: '/swarm/join', body: { JoinToken: workerToken(cluster), RemoteAddrs: [firstAddress], AdvertiseAddr: node.address } });
  }));
  await waitForReady(environment, socketOf(lab, first), nodes.length);
  return running;
}

/** Waits for every node, also when one fails, so that none starts after the lab was cleaned away. */
async function powerOnAll(environment: LabEnvironment, lab: Lab, daemonArgs: readonly string[]): Promise<LabNode[]> {
  const outcomes = await Promise.allSettled(lab.nodes.map((node) => powerOn(environment, lab, { node, daemonArgs })));
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

async function powerOn(environment: LabEnvironment, lab: Lab, options: { node: LabNode; daemonArgs: readonly string[] }): Promise<LabNode> {
  const started = await startNode(lab, options.node, { clock: environment.clock, daemonArgv: [environment.launcher, 'daemon', ...options.daemonArgs] });
  await connectNode(lab, started);
  return started;
}

function workerToken(cluster: unknown): string {
  const tokens = isRecord(cluster) && isRecord(cluster['JoinTokens']) ? cluster['JoinTokens'] : {};
  if (typeof tokens['Worker'] !== 'string') throw new OrchError('ORCH_INTERNAL', 'The manager of the lab gave no join token');
  return tokens['Worker'];
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

async function waitForApi(environment: LabEnvironment, socket: string): Promise<void> {
  await waitUntil(environment.clock, `The daemon of the lab at ${socket} does not answer`, async () => existsSync(socket) && (await answers(environment, socket)));
}

async function answers(environment: LabEnvironment, socket: string): Promise<boolean> {
  try {
    await environment.request(socket, { method: 'GET', path: '/orch/v1/status' });
    return true;
  } catch (error) {
    if (error instanceof OrchError && error.code === 'ORCH_UNREACHABLE') return false;
    throw error;
  }
}

async function waitForReady(environment: LabEnvironment, socket: string, count: number): Promise<void> {
  await waitUntil(environment.clock, `The ${count} nodes of the lab did not all become ready`, async () => {
    const nodes = await environment.request(socket, { method: 'GET', path: '/nodes' });
    return Array.isArray(nodes) && nodes.filter((node) => isRecord(node) && isRecord(node['Status']) && node['Status']['State'] === 'ready').length >= count;
  });
}

async function waitUntil(clock: Clock, failure: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadlineMs = clock.monotonic() + READY_LIMIT_MS; clock.monotonic() < deadlineMs; await clock.sleep(POLL_MS)) {
    if (await condition()) return;
  }
  throw new OrchError('ORCH_TIMEOUT', failure, { hint: 'Look into daemon.log in the node\'s data directory (`orch lab status`)' });
}

/** Removes every trace of the lab, also of one whose start was interrupted; harmless when there is none. Returns whether there was one. */
export async function labDown(environment: LabEnvironment, name: string): Promise<boolean> {
  const found = await findLab(name);
  const lab = found ?? newLab(name, [], '');
  const hadNodes = await killNodesBelow(lab.directory, environment.clock);
  for (const node of lab.nodes) removeControlGroups(engineIdOf(lab, node));
  await destroyUnderlay(lab);
  await forgetLab(lab);
  await removeEmptyParents();
  return found !== undefined || hadNodes;
}

const engineIdOf = (lab: Lab, node: LabNode): string => {
  const path = join(dataDirOf(lab, node), 'engine-id');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
};

/** What several labs share goes with the last of them. */
async function removeEmptyParents(): Promise<void> {
  const groups = (await readdir('/sys/fs/cgroup', { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => join('/sys/fs/cgroup', entry.name, 'orch'));
  for (const directory of ['/var/lib/orch-lab', '/sys/fs/cgroup/orch', ...groups]) await removeIfEmpty(directory);
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY', 'ENOTDIR'].some((code) => isErrno(error, code))) throw error;
  }
}

export async function labKill(environment: LabEnvironment, name: string, reference: string): Promise<void> {
  const lab = await requireLab(name);
  const node = requireNode(lab, reference);
  await killNode(node, environment.clock);
  await saveNode(lab, { ...node, initPid: 0, initStartTime: '' });
}

/** Starts a killed node again on the data it had. */
export async function labStart(environment: LabEnvironment, name: string, options: { reference: string; daemonArgs: readonly string[] }): Promise<void> {
  const lab = await requireLab(name);
  const node = requireNode(lab, options.reference);
  if (isNodeUp(node)) throw new OrchError('ORCH_CONFLICT', `Node ${node.index} of the lab "${name}" is already on`);
  await saveNode(lab, await powerOn(environment, lab, { node, daemonArgs: options.daemonArgs }));
  await waitForApi(environment, socketOf(lab, node));
}

/** `3` cuts node 3 off; `1,3` cuts only the link between 1 and 3. */
export async function labCut(name: string, target: string): Promise<void> {
  const lab = await requireLab(name);
  const [first, second, ...rest] = target.split(',').map((reference) => requireNode(lab, reference));
  if (!first || rest.length > 0) throw new OrchError('ORCH_INVALID', `"${target}" does not name one node or two`, { hint: 'Write 3, or 1,3' });
  if (second) await cutPair(lab, [first, second]);
  else await cutNode(lab, first);
}

export const labHeal = async (name: string): Promise<void> => healAll(await requireLab(name));

export async function labSlow(name: string, reference: string, rate: string): Promise<void> {
  const lab = await requireLab(name);
  await limitNode(lab, requireNode(lab, reference), rate);
}

export async function labStatus(name: string): Promise<LabNodeStatus[]> {
  const lab = await requireLab(name);
  return lab.nodes.map((node) => ({
    index: node.index, name: node.name, address: node.address, up: isNodeUp(node), initPid: isNodeUp(node) ? node.initPid : 0, daemonPid: daemonPidOf(node),
    dataDir: dataDirOf(lab, node), runDir: runDirOf(lab, node), socket: socketOf(lab, node),
  }));
}

/** The command line that runs `command` inside a node, with the checkout's orch on its PATH. */
export async function labExecArgv(environment: LabEnvironment, name: string, options: { reference: string; command: readonly string[] }): Promise<string[]> {
  const lab = await requireLab(name);
  const node = requireNode(lab, options.reference);
  if (!isNodeUp(node)) throw new OrchError('ORCH_CONFLICT', `Node ${node.index} of the lab "${name}" is off`, { hint: `Start it with \`orch lab start ${node.index}\`` });
  return ['nsenter', '-t', String(node.initPid), '-m', '-p', '-n', '-u', '-i', '--', 'env', `PATH=${dirname(environment.launcher)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, ...options.command];
}

/** The command line that runs `command` on the underlay, as a client outside the cluster. */
export const labClientArgv = async (name: string, command: readonly string[]): Promise<string[]> => ['ip', 'netns', 'exec', (await requireLab(name)).underlay, ...command];
