import { defaultUpdateConfig } from '../../model/defaults.ts';
import type { PublishedPort, ServiceMode, ServiceSpec, TaskTemplate, UpdateConfig } from '../../model/service.ts';
import { bodyProblems } from './body-problems.ts';
import { nanoseconds } from './container-spec.ts';
import { ObjectReader } from './object-reader.ts';
import { dockerTaskSpec, readNetworkAttachment, readTaskTemplate } from './task-template.ts';
import { withoutUndefined } from './without-undefined.ts';

const MAX_PORT = 65_535;

/** Docker's ServiceSpec as the model has it; what is missing takes Swarm's defaults, a missing name is empty. Throws ORCH_INVALID and ORCH_UNSUPPORTED that list every problem by its path in the body. */
export function readServiceSpec(body: unknown): ServiceSpec {
  const problems = bodyProblems();
  const reader = new ObjectReader(body ?? {}, '', problems);
  const hasTemplate = reader.has('TaskTemplate');
  const template = reader.object('TaskTemplate');
  if (!hasTemplate) reader.invalid('TaskTemplate', 'must be given');
  const spec: ServiceSpec = {
    name: reader.text('Name') ?? '',
    labels: reader.textMap('Labels') ?? {},
    template: withServiceNetworks(reader, readTaskTemplate(hasTemplate ? template : new ObjectReader({}, '', bodyProblems()))),
    mode: readMode(reader),
    update: readUpdateConfig(reader, 'UpdateConfig'),
    rollback: readUpdateConfig(reader, 'RollbackConfig'),
    endpoint: readEndpoint(reader),
  };
  reader.end();
  problems.throwIfAny();
  return spec;
}

/** Clients from before API 1.44 write the networks beside the template. */
function withServiceNetworks(reader: ObjectReader, template: TaskTemplate): TaskTemplate {
  const networks = reader.objects('Networks').map(readNetworkAttachment);
  if (networks.length > 0 && template.networks.length > 0) reader.invalid('Networks', 'cannot be given beside TaskTemplate.Networks');
  return networks.length === 0 ? template : { ...template, networks };
}

function readMode(reader: ObjectReader): ServiceMode {
  const mode = reader.object('Mode');
  const given = ['Replicated', 'Global', 'ReplicatedJob', 'GlobalJob'].filter((key) => mode.has(key));
  if (given.length > 1) reader.invalid('Mode', `must be one mode, not ${given.join(' and ')}`);
  for (const job of ['ReplicatedJob', 'GlobalJob']) {
    if (given.includes(job)) mode.unsupported(job, 'orch does not support jobs');
    mode.object(job).end(['MaxConcurrent', 'TotalCompletions']);
  }
  const global = mode.object('Global');
  const replicated = mode.object('Replicated');
  const replicas = replicated.integer('Replicas') ?? 1;
  for (const part of [global, replicated, mode]) part.end();
  return given.includes('Global') ? { type: 'global' } : { type: 'replicated', replicas };
}

function readUpdateConfig(reader: ObjectReader, key: 'UpdateConfig' | 'RollbackConfig'): UpdateConfig {
  const config = reader.object(key);
  const actions = key === 'UpdateConfig' ? ['pause', 'continue', 'rollback'] as const : ['pause', 'continue'] as const;
  const update = {
    parallelism: config.integer('Parallelism') ?? defaultUpdateConfig.parallelism,
    delayMs: config.durationMs('Delay') ?? defaultUpdateConfig.delayMs,
    failureAction: config.oneOf('FailureAction', actions) ?? defaultUpdateConfig.failureAction,
    // Go's clients leave a zero out, so that it can only mean the default.
    monitorMs: config.durationMs('Monitor') || defaultUpdateConfig.monitorMs,
    maxFailureRatio: config.fraction('MaxFailureRatio') ?? defaultUpdateConfig.maxFailureRatio,
    order: config.oneOf('Order', ['stop-first', 'start-first']) ?? defaultUpdateConfig.order,
  };
  config.end();
  return update;
}

function readEndpoint(reader: ObjectReader): ServiceSpec['endpoint'] {
  const endpoint = reader.object('EndpointSpec');
  const read = { mode: endpoint.oneOf('Mode', ['vip', 'dnsrr']) ?? 'vip', ports: endpoint.objects('Ports').map(readPort) };
  endpoint.end();
  return read;
}

function readPort(reader: ObjectReader): PublishedPort {
  const port = withoutUndefined({
    protocol: reader.oneOf('Protocol', ['tcp', 'udp', 'sctp']) ?? 'tcp',
    targetPort: reader.integer('TargetPort', { max: MAX_PORT }) ?? 0,
    publishedPort: reader.integer('PublishedPort', { max: MAX_PORT }) ?? 0,
    mode: reader.oneOf('PublishMode', ['ingress', 'host']) ?? 'ingress',
    name: reader.text('Name'),
  });
  reader.end();
  return port;
}

/** Docker's ServiceSpec; `readServiceSpec` reads it back to the same. */
export function dockerServiceSpec(spec: ServiceSpec): object {
  return {
    Name: spec.name,
    Labels: spec.labels,
    TaskTemplate: dockerTaskSpec(spec.template),
    Mode: spec.mode.type === 'global' ? { Global: {} } : { Replicated: { Replicas: spec.mode.replicas } },
    UpdateConfig: dockerUpdateConfig(spec.update),
    RollbackConfig: dockerUpdateConfig(spec.rollback),
    EndpointSpec: dockerEndpointSpec(spec.endpoint),
  };
}

const dockerUpdateConfig = (config: UpdateConfig): object => ({
  Parallelism: config.parallelism, Delay: nanoseconds(config.delayMs), FailureAction: config.failureAction,
  Monitor: nanoseconds(config.monitorMs), MaxFailureRatio: config.maxFailureRatio, Order: config.order,
});

/** Docker's EndpointSpec. */
export const dockerEndpointSpec = (endpoint: ServiceSpec['endpoint']): object =>
  withoutUndefined({ Mode: endpoint.mode, Ports: endpoint.ports.length > 0 ? endpoint.ports.map(dockerPort) : undefined });

/** Docker's EndpointPortConfig. */
export const dockerPort = (port: PublishedPort): object => withoutUndefined({
  Name: port.name, Protocol: port.protocol, TargetPort: port.targetPort, PublishedPort: port.publishedPort, PublishMode: port.mode,
});
