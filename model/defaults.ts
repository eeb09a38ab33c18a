import type { ContainerSpec, Placement, RestartPolicy, ServiceSpec, TaskTemplate, UpdateConfig } from './service.ts';

/** Docker's default for a stop without one of its own. */
export const DEFAULT_STOP_GRACE_MS = 10_000;

/** Swarm's: restart after 5 s, always, without end. */
export const defaultRestartPolicy: RestartPolicy = { condition: 'any', delayMs: 5_000, maxAttempts: 0, windowMs: 0 };

/** Swarm's: one at a time, old task stopped first, each watched for 5 s, pause at the first failure. Rollbacks have the same defaults. */
export const defaultUpdateConfig: UpdateConfig = {
  parallelism: 1, delayMs: 0, failureAction: 'pause', monitorMs: 5_000, maxFailureRatio: 0, order: 'stop-first',
};

/** Anywhere. */
export const defaultPlacement: Placement = { constraints: [], spread: [], maxReplicasPerNode: 0, platforms: [] };

/** The template of a service that asks for nothing but `container`; `overrides` replace whole fields. */
export function defaultTaskTemplate(container: ContainerSpec, overrides: Partial<Omit<TaskTemplate, 'container'>> = {}): TaskTemplate {
  return {
    container,
    resources: { limits: {}, reservations: {} },
    restart: defaultRestartPolicy,
    placement: defaultPlacement,
    networks: [],
    forceUpdate: 0,
    ...overrides,
  };
}

/** A service of one replica that asks for nothing but its template; `overrides` replace whole fields. */
export function defaultServiceSpec(name: string, template: TaskTemplate, overrides: Partial<Omit<ServiceSpec, 'name' | 'template'>> = {}): ServiceSpec {
  return {
    name,
    labels: {},
    template,
    mode: { type: 'replicated', replicas: 1 },
    update: defaultUpdateConfig,
    rollback: defaultUpdateConfig,
    endpoint: { mode: 'vip', ports: [] },
    ...overrides,
  };
}
