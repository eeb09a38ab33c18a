import type { Service, TaskTemplate } from '../../model/service.ts';
import type { Task, TaskStatus } from '../../model/task.ts';
import { dockerTaskSpec } from './task-template.ts';
import { formatTime } from './time.ts';
import { withoutUndefined } from './without-undefined.ts';

/** What a task shows of other objects; either may be gone while the task is still kept. */
export type TaskSurroundings = { readonly service: Service | undefined; readonly template: TaskTemplate | undefined };

/** Docker's name of a task: `web.1.` and its id, for global services `web.NODE.` and its id. */
export const taskName = (task: Task, serviceName: string): string => `${serviceName}.${task.slot === 0 ? task.nodeId ?? 0 : task.slot}.${task.id}`;

/** Docker's Task. */
export function dockerTask(task: Task, { service, template }: TaskSurroundings): object {
  return withoutUndefined({
    ID: task.id, Version: { Index: task.version }, CreatedAt: formatTime(task.createdAtMs), UpdatedAt: formatTime(task.updatedAtMs),
    Name: taskName(task, service?.spec.name ?? task.serviceId), Labels: {},
    Spec: template ? dockerTaskSpec(template) : {},
    ServiceID: task.serviceId,
    Slot: task.slot || undefined,
    NodeID: task.nodeId,
    Status: dockerTaskStatus(task.status),
    DesiredState: task.desired,
    NetworksAttachments: dockerAttachments(task.status, template),
  });
}

function dockerTaskStatus(status: TaskStatus): object {
  const { container, ports } = status;
  return withoutUndefined({
    Timestamp: formatTime(status.atMs), State: status.state, Message: status.message, Err: status.error,
    ContainerStatus: container && { ContainerID: container.id, PID: container.pid, ExitCode: status.exitCode ?? 0 },
    PortStatus: ports ? { Ports: ports.map((port) => ({ Protocol: port.protocol, TargetPort: port.targetPort, PublishedPort: port.publishedPort, PublishMode: 'host' })) } : {},
  });
}

/** The task has one address per network of its template; a template without networks is on the node's bridge. */
function dockerAttachments(status: TaskStatus, template: TaskTemplate | undefined): object[] | undefined {
  const addresses = status.container?.addresses ?? [];
  if (addresses.length === 0) return undefined;
  const targets = template?.networks.map(({ target }) => target) ?? [];
  return addresses.map((address, index) => {
    const target = targets[index] ?? 'bridge';
    return { Network: { ID: target, Spec: { Name: target } }, Addresses: [address] };
  });
}
