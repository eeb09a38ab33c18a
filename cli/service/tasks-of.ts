import { filtersQuery } from '../list-output.ts';
import type { DockerNode, DockerService, DockerTask } from '../docker-objects.ts';
import { getJson } from '../docker-objects.ts';
import type { ApiClient } from '../http-client.ts';

/** All tasks of a service, ended ones too. */
export const tasksOf = (client: ApiClient, serviceId: string, signal?: AbortSignal): Promise<DockerTask[]> =>
  getJson(client, `/tasks?${filtersQuery([`service=${serviceId}`])}`, signal ? { signal } : {});

/** Names of nodes by id. */
export async function nodeNames(client: ApiClient): Promise<ReadonlyMap<string, string>> {
  const nodes = await getJson<DockerNode[]>(client, '/nodes');
  return new Map(nodes.map((node) => [node.ID, node.Spec.Name || node.Description?.Hostname || node.ID]));
}

/** Names of services by id. */
export async function serviceNames(client: ApiClient): Promise<ReadonlyMap<string, string>> {
  const services = await getJson<DockerService[]>(client, '/services');
  return new Map(services.map((service) => [service.ID, service.Spec.Name]));
}

/** `web.1`, or `web.<node id>` for a task of a global service. */
export const taskName = (task: DockerTask, serviceName: string): string => `${serviceName}.${task.Slot || (task.NodeID ?? '')}`;

/** Slots oldest attempt last, in order of slot, then newest first: how `service ps` lists. */
export function inListOrder(tasks: readonly DockerTask[]): DockerTask[] {
  return tasks.toSorted((a, b) => a.ServiceID.localeCompare(b.ServiceID) || (a.Slot ?? 0) - (b.Slot ?? 0) || (a.NodeID ?? '').localeCompare(a.Slot ? a.NodeID ?? '' : b.NodeID ?? '') || b.CreatedAt.localeCompare(a.CreatedAt));
}
