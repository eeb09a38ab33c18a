import type { Kind, ReadTable } from '../../store/store.ts';
import type { ServiceId } from '../../model/meta.ts';
import { defaultClusterSpec, type Cluster } from '../../model/cluster.ts';
import type { ReaperSnapshot } from './plan-reaper.ts';
import type { ServiceSnapshot } from './snapshot.ts';

/** The tables of a view or of a transaction. */
export type Tables = { readonly [K in Kind]: ReadTable<K> };

/** The planners' snapshot of one service; undefined when there is no such service. Valid while the view is. */
export function readService(tables: Tables, id: ServiceId, nowMs: number): ServiceSnapshot | undefined {
  const service = tables.service.get(id);
  if (!service) return undefined;
  return {
    service, nowMs,
    tasks: tables.task.by('service', id),
    node: (nodeId) => tables.node.get(nodeId),
    nodes: () => tables.node.list(),
    template: (revisionId) => tables.revision.get(revisionId)?.template ?? service.spec.template,
  };
}

/** The reaper's snapshot of one service; undefined when there is no such service. */
export function readReaper(tables: Tables, id: ServiceId): ReaperSnapshot | undefined {
  const service = tables.service.get(id);
  if (!service) return undefined;
  return {
    service,
    tasks: tables.task.by('service', id),
    revisions: tables.revision.by('service', id),
    historyLimit: (theCluster(tables)?.spec ?? defaultClusterSpec).taskHistoryLimit,
    node: (nodeId) => tables.node.get(nodeId),
  };
}

/** The one cluster object; undefined before the cluster is made. */
export function theCluster(tables: Tables): Cluster | undefined {
  for (const cluster of tables.cluster.list()) return cluster;
  return undefined;
}
