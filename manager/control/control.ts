import { OrchError } from '../../model/errors.ts';
import type { Cluster, ClusterSpec } from '../../model/cluster.ts';
import type { LogQuery } from '../../model/log-record.ts';
import type { NodeId, RevisionId, ServiceId, TaskId } from '../../model/meta.ts';
import type { Node, NodeSpec } from '../../model/node.ts';
import { throwIfInvalid } from '../../model/problems.ts';
import type { Revision, Service, ServiceSpec } from '../../model/service.ts';
import type { Task } from '../../model/task.ts';
import { validateClusterSpec } from '../../model/validate-cluster.ts';
import { createJoinToken } from '../ca/join-tokens.ts';
import type { LogBroker, TaskLogOptions, TaskLogRecord } from '../dispatcher/log-broker.ts';
import { theCluster } from '../orchestrator/read-service.ts';
import { watchEvents, type ControlEvent } from './events.ts';
import { managerAddress, removeNode, updateNode } from './nodes.ts';
import { requireVersion } from './require-version.ts';
import { resolveReference } from './resolve.ts';
import { ServiceCounts, type ServiceCount } from './service-counts.ts';
import { createService, removeService, rollBackService, updateService, type ControlContext } from './services.ts';

export type ControlOptions = ControlContext & {
  readonly logs: LogBroker;
  /** This manager's node. */
  readonly nodeId: NodeId;
  /** True while this manager leads. */
  readonly leading: () => boolean;
};

export type ManagerStatus = { readonly leader: boolean; readonly reachability: 'reachable' | 'unreachable' | 'unknown'; readonly address: string };

/** What the API asks of a manager: ControlPlane of api/control-plane.ts, which holds the contract of every method. */
export class Control implements Disposable {
  readonly #options: ControlOptions;
  readonly #counts: ServiceCounts;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#counts = new ServiceCounts(options.store);
  }

  cluster(): Cluster {
    const cluster = this.#options.store.view(theCluster);
    if (!cluster) throw new OrchError('ORCH_NOT_MANAGER', 'This manager does not hold the cluster yet', { hint: 'Try again in a moment' });
    return cluster;
  }

  async updateCluster(version: number, spec: ClusterSpec, rotate: { workerToken: boolean; managerToken: boolean }): Promise<void> {
    throwIfInvalid('Cluster', validateClusterSpec(spec));
    const { store, random } = this.#options;
    const { id } = this.cluster();
    await store.update((tx) => {
      const cluster = tx.cluster.get(id);
      if (!cluster) throw new OrchError('ORCH_NOT_FOUND', `Cluster ${id} does not exist`);
      requireVersion('Cluster', cluster, version);
      const { certificatePem } = cluster.ca;
      const joinTokens = {
        worker: rotate.workerToken ? createJoinToken(certificatePem, random) : cluster.joinTokens.worker,
        manager: rotate.managerToken ? createJoinToken(certificatePem, random) : cluster.joinTokens.manager,
      };
      tx.cluster.update({ ...cluster, spec, joinTokens });
    });
  }

  nodes(): readonly Node[] { return this.#options.store.view((view) => [...view.node.list()]); }

  node(reference: string): Node {
    return this.#options.store.view((view) => resolveReference<Node>({
      label: 'Node', get: (id) => view.node.get(id), list: () => view.node.list(), names: (node) => [node.spec.name, node.description?.hostname],
    }, reference));
  }

  managerStatus(nodeId: NodeId): ManagerStatus | undefined {
    const node = this.#options.store.view((view) => view.node.get(nodeId));
    if (node?.role !== 'manager') return undefined;
    const isSelf = nodeId === this.#options.nodeId;
    return { leader: isSelf && this.#options.leading(), reachability: isSelf ? 'reachable' : reachability(node), address: managerAddress(node) };
  }

  updateNode(id: NodeId, version: number, spec: NodeSpec): Promise<void> { return updateNode(this.#options, id, { version, spec }); }

  removeNode(id: NodeId, options: { force: boolean }): Promise<void> { return removeNode(this.#options, id, options); }

  services(): readonly Service[] { return this.#options.store.view((view) => [...view.service.list()].filter(isPresent)); }

  service(reference: string): Service {
    return this.#options.store.view((view) => resolveReference<Service>({
      label: 'Service', names: (service) => [service.spec.name], list: () => [...view.service.list()].filter(isPresent),
      get: (id) => [view.service.get(id)].find((service) => service !== undefined && isPresent(service)),
    }, reference));
  }

  async createService(spec: ServiceSpec): Promise<{ readonly id: ServiceId; readonly warnings: readonly string[] }> {
    return { id: await createService(this.#options, spec), warnings: [] };
  }

  /** The signature is the API's, which passes four plain values. */
  // oxlint-disable-next-line eslint/max-params -- ControlPlane declares it so
  async updateService(id: ServiceId, version: number, spec: ServiceSpec, options: { rollback: boolean }): Promise<{ readonly warnings: readonly string[] }> {
    await (options.rollback ? rollBackService(this.#options, id, version) : updateService(this.#options, id, { version, spec }));
    return { warnings: [] };
  }

  removeService(id: ServiceId): Promise<void> { return removeService(this.#options, id); }

  revision(id: RevisionId): Revision | undefined { return this.#options.store.view((view) => view.revision.get(id)); }

  serviceCounts(id: ServiceId): ServiceCount { return this.#counts.of(id); }

  tasks(): readonly Task[] { return this.#options.store.view((view) => [...view.task.list()]); }

  task(reference: string): Task {
    return this.#options.store.view((view) => resolveReference<Task>({
      label: 'Task', list: () => view.task.list(), names: () => [],
      get: (id) => view.task.get(id) ?? view.task.get(taskIdOfName(id)),
    }, reference));
  }

  events(signal: AbortSignal): AsyncIterable<ControlEvent> {
    const { store, clock } = this.#options;
    return watchEvents(store, signal, () => clock.now());
  }

  taskLogs(taskIds: readonly TaskId[], query: LogQuery, options: TaskLogOptions): AsyncIterable<TaskLogRecord> {
    return this.#options.logs.taskLogs(taskIds, query, options);
  }

  [Symbol.dispose](): void { this.#counts[Symbol.dispose](); }
}

/** A service whose removal was asked for is gone to everybody but the loops. */
const isPresent = (service: Service): boolean => service.removing !== true;

/** Docker's full name of a task, `web.1.ID`, ends with its id. */
const taskIdOfName = (name: string): TaskId => name.slice(name.lastIndexOf('.') + 1);

function reachability({ status: { state } }: Node): ManagerStatus['reachability'] {
  if (state === 'ready') return 'reachable';
  return state === 'unknown' ? 'unknown' : 'unreachable';
}
