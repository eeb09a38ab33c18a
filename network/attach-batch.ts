import type { Clock } from '../base/clock.ts';
import type { Semaphore } from '../base/semaphore.ts';
import { OrchError } from '../model/errors.ts';
import type { ContainerId } from '../model/meta.ts';
import { isLive, type AttachmentRecord, type LiveRecord } from './attachment-record.ts';
import type { Kernel } from './kernel.ts';
import type { NetworkState } from './network-state.ts';
import type { AttachRequest } from './node-network.ts';
import { ADDRESS_REST_MS } from './plan-addresses.ts';
import { planAttach } from './plan-attach.ts';
import { planContainerLinks, planHostLinks, planLinkRemoval } from './plan-links.ts';
import { planPortChange, planTable } from './plan-rules.ts';
import type { RecordStore } from './record-store.ts';

export type BatchContext = {
  readonly state: NetworkState;
  readonly kernel: Kernel;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly namespaceDir: string;
  /** Bounds the programs that run at once. */
  readonly programs: Semaphore;
};

/** Containers whose change failed, and why; all others are done. */
export type Failures = Map<ContainerId, unknown>;

/** Attaches containers that are not attached yet; what an earlier failure could not clean away goes first. What fails leaves nothing behind. */
export async function attachAll(context: BatchContext, requests: readonly AttachRequest[]): Promise<Failures> {
  const failures: Failures = new Map();
  const records = await planAll(context, requests, failures);
  await Promise.all(records.map((record) => context.store.save(record)));
  await Promise.all([makeLinks(context, records, failures), publishPorts(context, records, failures)]);
  await finish(context, records, failures);
  return failures;
}

async function planAll(context: BatchContext, requests: readonly AttachRequest[], failures: Failures): Promise<LiveRecord[]> {
  const { state, kernel, clock, namespaceDir } = context;
  const wantsPorts = requests.some((request) => request.ports.length > 0);
  const listening = wantsPorts ? await kernel.listListeningPorts() : { tcp: new Set<number>(), udp: new Set<number>() };
  await forgetRested(context);
  await cleanFailed(context, requests.flatMap((request) => state.find(request.containerId) ?? []).filter((record) => record.state === 'attaching'), failures);
  const planned: LiveRecord[] = [];
  for (const request of requests) {
    if (failures.has(request.containerId) || state.find(request.containerId)) continue;
    try {
      const record = planAttach(request, { subnet: state.subnet, records: state.records, listening, nowMs: clock.now(), namespaceDir });
      state.records.set(request.containerId, record);
      planned.push(record);
    } catch (error) {
      failures.set(request.containerId, error);
    }
  }
  return planned;
}

async function forgetRested({ state, store, clock }: BatchContext): Promise<void> {
  const now = clock.now();
  const rested = [...state.records].flatMap(([id, record]) => record.state === 'released' && now - record.releasedAtMs >= ADDRESS_REST_MS ? [id] : []);
  for (const id of rested) state.records.delete(id);
  await Promise.all(rested.map((id) => store.remove(id)));
}

async function makeLinks({ kernel, programs }: BatchContext, records: readonly LiveRecord[], failures: Failures): Promise<void> {
  const made: LiveRecord[] = [];
  await Promise.all(records.map((record) => programs.run(async () => {
    try {
      await kernel.createNamespace(record.attachment.namespacePath, planContainerLinks(record, kernel.hostNamespacePath));
      made.push(record);
    } catch (error) {
      failures.set(record.attachment.containerId, error);
    }
  })));
  const lines = made.flatMap((record) => record.hostLink ? planHostLinks(record.hostLink).map((line) => ({ line, containerId: record.attachment.containerId })) : []);
  for (const [index, reason] of await kernel.applyLinks(lines.map(({ line }) => line))) {
    const containerId = lines[index]?.containerId;
    if (containerId) failures.set(containerId, new OrchError('ORCH_RUNTIME', `Container ${containerId.slice(0, 12)} could not be put on the node's bridge: ${reason}`));
  }
}

/** The change alone is cheapest; when it can't be applied somebody has removed the table, so then it is written anew. */
async function publishPorts({ kernel, state }: BatchContext, records: readonly LiveRecord[], failures: Failures): Promise<void> {
  const publishing = records.filter((record) => record.attachment.ports.length > 0);
  try {
    await kernel.applyRules(planPortChange([], publishing));
  } catch {
    try {
      await kernel.applyRules(planTable(state.subnets(), state.live()));
    } catch (error) {
      for (const record of publishing) failures.set(record.attachment.containerId, error);
    }
  }
}

async function finish(context: BatchContext, records: readonly LiveRecord[], failures: Failures): Promise<void> {
  const attached = records.filter((record) => !failures.has(record.attachment.containerId));
  await Promise.all(attached.map((record) => remember(context, { ...record, state: 'attached' })));
  await cleanFailed(context, records.filter((record) => failures.has(record.attachment.containerId)), failures);
}

/** Removes all of what was only begun. What can't be removed now stays recorded, so that the next attach or the next start tries again. */
async function cleanFailed(context: BatchContext, records: readonly LiveRecord[], failures: Failures): Promise<void> {
  const { state, kernel, store } = context;
  const leaving = new Set(records);
  try {
    if (records.some(({ attachment }) => attachment.ports.length > 0)) await kernel.applyRules(planTable(state.subnets(), state.live().filter((record) => !leaving.has(record))));
    await clean(context, records);
  } catch (error) {
    for (const { attachment } of records) failures.set(attachment.containerId, error);
    return;
  }
  for (const { attachment } of records) state.records.delete(attachment.containerId);
  await Promise.all(records.map(({ attachment }) => store.remove(attachment.containerId)));
}

async function remember({ state, store }: BatchContext, record: AttachmentRecord): Promise<void> {
  state.records.set(isLive(record) ? record.attachment.containerId : record.containerId, record);
  await store.save(record);
}

/** Detaches containers, whole or half attached. Harmless for those that are not. */
export async function detachAll(context: BatchContext, containerIds: readonly ContainerId[]): Promise<void> {
  const { state, store, clock, kernel } = context;
  const records = containerIds.flatMap((id) => state.find(id) ?? []);
  const rules = planPortChange(records, []);
  try {
    await kernel.applyRules(rules);
  } catch {
    const leaving = new Set(records);
    await kernel.applyRules(planTable(state.subnets(), state.live().filter((record) => !leaving.has(record))));
  }
  await clean(context, records);
  await Promise.all(records.map(async ({ attachment }) => {
    const { containerId, addresses: [address] } = attachment;
    if (address) return await remember(context, { state: 'released', containerId, address, releasedAtMs: clock.now() });
    state.records.delete(containerId);
    await store.remove(containerId);
  }));
}

/** Deletes links and namespaces. A link can be gone already, with the namespace of its other end; one that stays is an error. */
async function clean({ kernel }: BatchContext, records: readonly LiveRecord[]): Promise<void> {
  if (records.length === 0) return;
  const links = await kernel.listLinks();
  const present = records.flatMap((record) => record.hostLink && links.has(record.hostLink) ? [record.hostLink] : []);
  const failures = await kernel.applyLinks(planLinkRemoval(present));
  await kernel.deleteNamespaces(records.map((record) => record.attachment.namespacePath));
  const left = failures.size > 0 ? await kernel.listLinks() : new Set<string>();
  const stuck = present.filter((link) => left.has(link));
  if (stuck.length > 0) throw new OrchError('ORCH_RUNTIME', `Links ${stuck.join(', ')} could not be deleted: ${[...failures.values()].join('; ')}`);
}
