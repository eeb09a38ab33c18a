import { defaultPlacement, defaultServiceSpec, defaultTaskTemplate } from './defaults.ts';
import type { Labels, Meta } from './meta.ts';
import type { Node, NodeAvailability, NodeRole, NodeState } from './node.ts';
import type { Resources } from './resources.ts';
import type { ContainerSpec, Placement, PublishedPort, Revision, Service, ServiceSpec, TaskTemplate } from './service.ts';
import type { DesiredState, Task, TaskState } from './task.ts';

/** Objects for tests: every field has a plain default, so that a test shows only what matters to it. */

type MetaOverrides = Partial<Meta>;

const meta = (id: string, overrides: MetaOverrides): Meta => ({
  id: overrides.id ?? id, version: overrides.version ?? 1, createdAtMs: overrides.createdAtMs ?? 0, updatedAtMs: overrides.updatedAtMs ?? 0,
});

export type NodeOverrides = MetaOverrides & {
  readonly name?: string;
  readonly labels?: Labels;
  readonly role?: NodeRole;
  readonly availability?: NodeAvailability;
  readonly state?: NodeState;
  readonly hostname?: string;
  /** false is a node whose agent has never had a session. */
  readonly described?: boolean;
  readonly os?: string;
  readonly arch?: string;
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
  readonly engineLabels?: Labels;
};

/** A ready, active linux/amd64 worker with 4 CPUs and 8 GiB. */
export function node(overrides: NodeOverrides = {}): Node {
  const base = meta('node1', overrides);
  return {
    ...base,
    spec: { name: overrides.name ?? '', labels: overrides.labels ?? {}, role: overrides.role ?? 'worker', availability: overrides.availability ?? 'active' },
    role: overrides.role ?? 'worker',
    status: { state: overrides.state ?? 'ready', message: '', address: '192.0.2.1', atMs: 0 },
    ...(overrides.described ?? true ? { description: nodeDescription(base.id, overrides) } : {}),
  };
}

function nodeDescription(id: string, overrides: NodeOverrides): NonNullable<Node['description']> {
  return {
    hostname: overrides.hostname ?? `host-${id}`,
    platform: { os: overrides.os ?? 'linux', arch: overrides.arch ?? 'amd64' },
    resources: { nanoCpus: overrides.nanoCpus ?? 4_000_000_000, memoryBytes: overrides.memoryBytes ?? 8 * 1024 ** 3 },
    engineVersion: '0.1.0',
    engineLabels: overrides.engineLabels ?? {},
  };
}

export type TemplateOverrides = Partial<Omit<TaskTemplate, 'container' | 'placement'>> & {
  readonly container?: Partial<ContainerSpec>;
  readonly placement?: Partial<Placement>;
  /** Short for `resources.reservations`. */
  readonly reserve?: Resources;
};

/** A template that runs `web:1` anywhere. */
export function template(overrides: TemplateOverrides = {}): TaskTemplate {
  const { container, placement, reserve, ...rest } = overrides;
  return defaultTaskTemplate({ image: 'web:1', ...container }, {
    ...(reserve ? { resources: { limits: {}, reservations: reserve } } : {}),
    placement: { ...defaultPlacement, ...placement },
    ...rest,
  });
}

export type ServiceSpecOverrides = Partial<Omit<ServiceSpec, 'template'>> & { readonly template?: TemplateOverrides; /** Short for a replicated mode. */ readonly replicas?: number };

/** The spec of a service `web` of one replica of `web:1`. */
export function serviceSpec(overrides: ServiceSpecOverrides = {}): ServiceSpec {
  const { name = 'web', template: templateOverrides, replicas, ...rest } = overrides;
  return defaultServiceSpec(name, template(templateOverrides), { ...(replicas === undefined ? {} : { mode: { type: 'replicated', replicas } }), ...rest });
}

export type ServiceOverrides = MetaOverrides & Partial<Omit<Service, 'spec' | keyof Meta>> & { readonly spec?: ServiceSpecOverrides };

/** A service `web` of revision `revision1`. */
export function service(overrides: ServiceOverrides = {}): Service {
  const { spec, ...rest } = overrides;
  return { revisionId: 'revision1', ...rest, ...meta('service1', overrides), spec: serviceSpec(spec) };
}

export type RevisionOverrides = MetaOverrides & { readonly serviceId?: string; readonly template?: TemplateOverrides; readonly ports?: readonly PublishedPort[] };

/** A revision of `service1`. */
export function revision(overrides: RevisionOverrides = {}): Revision {
  return { ...meta('revision1', overrides), serviceId: overrides.serviceId ?? 'service1', template: template(overrides.template), ports: overrides.ports ?? [] };
}

export type TaskOverrides = MetaOverrides & Partial<Omit<Task, 'status' | keyof Meta>> & {
  readonly state?: TaskState;
  readonly status?: Partial<Task['status']>;
  readonly desired?: DesiredState;
};

/** A pending task in slot 1 of `service1`, wanted to run. */
export function task(overrides: TaskOverrides = {}): Task {
  const { state = 'pending', status, ...rest } = overrides;
  return {
    serviceId: 'service1', revisionId: 'revision1', slot: 1, desired: 'running',
    ...rest, ...meta('task1', overrides),
    status: { state, atMs: 0, message: '', ...status },
  };
}
