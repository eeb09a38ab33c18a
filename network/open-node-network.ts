import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { isErrno } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { ProgramRunner } from '../base/program-runner.ts';
import { Semaphore } from '../base/semaphore.ts';
import { assertNever, OrchError } from '../model/errors.ts';
import type { ContainerId } from '../model/meta.ts';
import { attachAll, detachAll, type BatchContext } from './attach-batch.ts';
import { containerOf } from './attachment-record.ts';
import { formatSubnet, parseSubnet, type Subnet } from './ipv4.ts';
import { Kernel } from './kernel.ts';
import { NetworkState } from './network-state.ts';
import type { Attachment, AttachRequest, NodeNetwork } from './node-network.ts';
import { planAdoption } from './plan-adoption.ts';
import { BRIDGE, planBridge, planHostLinks, planLinkRemoval } from './plan-links.ts';
import { planTable } from './plan-rules.ts';
import { RecordStore } from './record-store.ts';
import { WorkQueue, type WorkItem } from './work-queue.ts';

export type NodeNetworkOptions = {
  /** Namespaces are mounted in `<runDir>/netns/`, records are kept in `<runDir>/network/`. */
  readonly runDir: string;
  /** Programs run in this process's mount namespace: `ip`, `nft`, `unshare`, `umount`, `sh`. */
  readonly runner: ProgramRunner;
  readonly clock: Clock;
  readonly log: Log;
  /** A process in whose network namespace the node lives; this process's own when missing. */
  readonly nodePid?: number;
};

/** Takes over what an earlier run left (attachments that are whole), deletes what belongs to nobody, and touches nothing that is not ours. */
export async function openNodeNetwork(options: NodeNetworkOptions): Promise<NodeNetwork> {
  const network = new BridgeNetwork(options);
  await network.adopt();
  return network;
}

type Job =
  | { readonly type: 'configure'; readonly subnet: Subnet }
  | { readonly type: 'attach'; readonly request: AttachRequest }
  | { readonly type: 'detach'; readonly containerId: ContainerId };

const keyOf = (job: Job): string => {
  switch (job.type) {
    case 'configure': return 'configure';
    case 'attach': return job.request.containerId;
    case 'detach': return job.containerId;
    default: return assertNever(job);
  }
};

/** Programs at once: making a namespace takes the kernel's global locks, so more would only queue there. */
const PROGRAMS_AT_ONCE = 8;

class BridgeNetwork implements NodeNetwork {
  readonly #context: BatchContext;
  readonly #log: Log;
  readonly #queue = new WorkQueue<Job>({ keyOf, work: (items) => this.#work(items) });

  constructor(options: NodeNetworkOptions) {
    const namespaceDir = join(options.runDir, 'netns');
    this.#log = options.log;
    this.#context = {
      state: new NetworkState(), namespaceDir, clock: options.clock,
      kernel: new Kernel({ runner: options.runner, namespaceDir, nodePid: options.nodePid }),
      store: new RecordStore(join(options.runDir, 'network')),
      programs: new Semaphore(PROGRAMS_AT_ONCE),
    };
  }

  async configure(subnet: string): Promise<void> { await this.#queue.run({ type: 'configure', subnet: parseSubnet(subnet) }); }

  async attach(request: AttachRequest): Promise<Attachment> {
    await this.#queue.run({ type: 'attach', request });
    const record = this.#context.state.find(request.containerId);
    if (!record) throw new OrchError('ORCH_CONFLICT', `Container ${request.containerId.slice(0, 12)} was detached while it was attached`);
    return record.attachment;
  }

  async detach(containerId: ContainerId): Promise<void> { await this.#queue.run({ type: 'detach', containerId }); }

  attachments(): readonly Attachment[] {
    return this.#context.state.live().filter((record) => record.state === 'attached').map((record) => record.attachment);
  }

  async [Symbol.asyncDispose](): Promise<void> { await this.#queue[Symbol.asyncDispose](); }

  /** Called once, before anything else. */
  async adopt(): Promise<void> {
    const { state, kernel, store, namespaceDir, clock } = this.#context;
    const { records, subnet } = await store.load();
    const [links, mountedPaths, files] = await Promise.all([kernel.listLinks(), kernel.listNamespaces(), listFiles(namespaceDir)]);
    const plan = planAdoption({ records, links, mountedPaths, namespacePaths: new Set([...mountedPaths, ...files]), nowMs: clock.now() });
    await kernel.applyLinks(planLinkRemoval(plan.deleteLinks));
    await kernel.deleteNamespaces(plan.deleteNamespaces);
    await Promise.all(plan.drop.map((record) => store.remove(containerOf(record))));
    const dropped = new Set(plan.drop);
    for (const [id, record] of records) if (!dropped.has(record)) state.records.set(id, record);
    if (subnet === undefined) return;
    state.subnet = parseSubnet(subnet);
    await this.#applyBridge();
    this.#log.info({ adopted: plan.adopt.length, dropped: plan.drop.length }, 'took over the containers\' network');
  }

  async #work(items: readonly WorkItem<Job>[]): Promise<void> {
    for (const item of items) {
      if (item.job.type === 'configure') await settle([item], () => this.#configure(item.job));
    }
    const detaches = items.filter(({ job }) => job.type === 'detach');
    await settle(detaches, () => this.#detach(detaches.map(({ job }) => keyOf(job))));
    const attaches = items.flatMap((item) => item.job.type === 'attach' ? [{ item, request: item.job.request }] : []);
    const failures = await attachAll(this.#context, attaches.map(({ request }) => request));
    for (const { item, request } of attaches) {
      if (failures.has(request.containerId)) item.reject(failures.get(request.containerId));
      else item.resolve();
    }
  }

  async #configure(job: Job): Promise<void> {
    if (job.type !== 'configure') return;
    const { state, store } = this.#context;
    state.subnet = job.subnet;
    await store.saveSubnet(formatSubnet(job.subnet));
    await this.#applyBridge();
  }

  async #detach(containerIds: readonly ContainerId[]): Promise<void> {
    const { state } = this.#context;
    const before = state.subnets().length;
    await detachAll(this.#context, containerIds);
    if (state.subnets().length < before) await this.#applyBridge();
  }

  /** Makes bridge, addresses, kernel settings and the whole table what they should be; changes nothing that already is. */
  async #applyBridge(): Promise<void> {
    const { state, kernel } = this.#context;
    const [links, foreignBridge] = await Promise.all([kernel.listLinks(), kernel.hasForeignBridge()]);
    const existing = { bridge: links.has(BRIDGE), addresses: links.has(BRIDGE) ? await kernel.listBridgeAddresses() : [] };
    const hostLinks = state.live().flatMap((record) => record.hostLink && links.has(record.hostLink) ? planHostLinks(record.hostLink) : []);
    const failures = await kernel.applyLinks([...planBridge(state.subnets(), existing), ...hostLinks]);
    if (failures.size > 0) throw new OrchError('ORCH_RUNTIME', `The bridge ${BRIDGE} of this node could not be set up: ${[...failures.values()].join('; ')}`);
    await this.#applySettings(foreignBridge);
    await kernel.applyRules(planTable(state.subnets(), state.live()));
  }

  /**
   * bridge-nf-call-iptables sends frames between containers of the node through the packet filter a second time. It is off where only our bridge
   * would feel it; where others have bridges (Docker sets it, Kubernetes demands it) it stays as it is: our rules work either way.
   */
  async #applySettings(foreignBridge: boolean): Promise<void> {
    const { kernel } = this.#context;
    const refused = await kernel.applySettings({ 'net/ipv4/ip_forward': '1', [`net/ipv4/conf/${BRIDGE}/route_localnet`]: '1' });
    if (refused.length > 0) {
      throw new OrchError('ORCH_RUNTIME', `Kernel setting ${refused.map((name) => name.replaceAll('/', '.')).join(', ')} can't be set to 1`, { hint: 'Set it on the host: containers reach nothing outside without it' });
    }
    if (!foreignBridge) await kernel.applySettings({ 'net/bridge/bridge-nf-call-iptables': '0' });
  }
}

async function settle(items: readonly WorkItem<Job>[], work: () => Promise<void>): Promise<void> {
  if (items.length === 0) return;
  try {
    await work();
    for (const item of items) item.resolve();
  } catch (error) {
    for (const item of items) item.reject(error);
  }
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).map((name) => join(directory, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
