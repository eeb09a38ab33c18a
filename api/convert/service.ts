import type { Service, UpdateStatus } from '../../model/service.ts';
import { dockerEndpointSpec, dockerPort, dockerServiceSpec } from './service-spec.ts';
import { formatTime } from './time.ts';
import { withoutUndefined } from './without-undefined.ts';

export type ServiceCounts = { readonly running: number; readonly desired: number; readonly completed: number };

/** Docker's Service; with `counts` also its ServiceStatus. */
export function dockerService(service: Service, counts?: ServiceCounts): object {
  const { spec, previousSpec, updateStatus } = service;
  return withoutUndefined({
    ID: service.id, Version: { Index: service.version }, CreatedAt: formatTime(service.createdAtMs), UpdatedAt: formatTime(service.updatedAtMs),
    Spec: dockerServiceSpec(spec),
    PreviousSpec: previousSpec && dockerServiceSpec(previousSpec),
    Endpoint: withoutUndefined({ Spec: dockerEndpointSpec(spec.endpoint), Ports: spec.endpoint.ports.length > 0 ? spec.endpoint.ports.map(dockerPort) : undefined }),
    UpdateStatus: updateStatus && dockerUpdateStatus(updateStatus),
    ServiceStatus: counts && { RunningTasks: counts.running, DesiredTasks: counts.desired, CompletedTasks: counts.completed },
  });
}

/** Docker writes the states of a rollback with underscores. */
const dockerUpdateStatus = (status: UpdateStatus): object => withoutUndefined({
  State: status.state.replace('-', '_'), StartedAt: formatTime(status.startedAtMs),
  CompletedAt: status.completedAtMs === undefined ? undefined : formatTime(status.completedAtMs),
  Message: status.message,
});
