import { OrchError } from '../../model/errors.ts';
import type { Service } from '../../model/service.ts';
import { desiredStates, taskStates } from '../../model/task.ts';
import type { Task } from '../../model/task.ts';
import { dockerTask, taskName } from '../convert/task.ts';
import type { TaskSurroundings } from '../convert/task.ts';
import type { ControlPlane, Membership } from '../control-plane.ts';
import { passes, passesLabels } from '../query.ts';
import type { Filters } from '../query.ts';
import { requireControl } from '../require-control.ts';
import { param } from '../route.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';
import { findNode } from './nodes.ts';

export const taskRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/tasks', answer: listTasks },
  {
    method: 'GET', path: '/tasks/{id}',
    async answer({ membership }, call) {
      const control = requireControl(membership);
      const task = control.task(param(call, 'id'));
      return dockerTask(task, surroundings(control, task, new Map(control.services().map((service) => [service.id, service]))));
    },
  },
];

const surroundings = (control: ControlPlane, task: Task, services: ReadonlyMap<string, Service>): TaskSurroundings =>
  ({ service: services.get(task.serviceId), template: control.revision(task.revisionId)?.template });

async function listTasks({ membership }: ApiContext, call: Call): Promise<unknown> {
  const control = requireControl(membership);
  const filters = call.query.filters(['id', 'name', 'node', 'service', 'label', 'desired-state', '_up-to-date', 'runtime']);
  const services = new Map(control.services().map((service) => [service.id, service]));
  const isListed = taskFilter(resolveReferences(filters, control, membership), services);
  return control.tasks().filter(isListed).map((task) => dockerTask(task, surroundings(control, task, services)));
}

/** The filters with ids in place of names of services and nodes. Throws ORCH_NOT_FOUND for one that does not exist. */
function resolveReferences(filters: Filters, control: ControlPlane, membership: Membership): Filters {
  const resolved = new Map(filters);
  resolved.set('service', (filters.get('service') ?? []).map((reference) => control.service(reference).id));
  resolved.set('node', (filters.get('node') ?? []).map((reference) => findNode(control, membership, reference).id));
  for (const state of filters.get('desired-state') ?? []) requireState(state);
  return resolved;
}

function requireState(state: string): void {
  if ([...taskStates, ...desiredStates].some((known) => known === state)) return;
  throw new OrchError('ORCH_INVALID', `The filter desired-state must be one of ${desiredStates.join(', ')}, not "${state}"`);
}

function taskFilter(filters: Filters, services: ReadonlyMap<string, Service>): (task: Task) => boolean {
  return (task) => {
    const service = services.get(task.serviceId);
    const isCurrent = (wanted: string): boolean => (service?.revisionId === task.revisionId) === (wanted !== 'false');
    return passes(filters, 'id', (prefix) => task.id.startsWith(prefix))
      && passes(filters, 'service', (id) => task.serviceId === id) && passes(filters, 'node', (id) => task.nodeId === id)
      && passes(filters, 'desired-state', (state) => task.desired === state)
      && passes(filters, 'name', (prefix) => taskName(task, service?.spec.name ?? task.serviceId).startsWith(prefix))
      && passes(filters, '_up-to-date', isCurrent) && passes(filters, 'runtime', (runtime) => runtime === 'container')
      && passesLabels(filters, 'label', service?.spec.labels ?? {});
  };
}
