import { defaultRestartPolicy } from '../../model/defaults.ts';
import type { ResourceRequirements } from '../../model/resources.ts';
import type { NetworkAttachment, Placement, RestartPolicy, TaskTemplate } from '../../model/service.ts';
import { dockerContainerSpec, nanoseconds, readContainerSpec } from './container-spec.ts';
import { bodyProblems } from './body-problems.ts';
import { ObjectReader } from './object-reader.ts';
import { ociArch } from './platform.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Log drivers whose promise orch's own log keeps: records on the node, readable through the API. */
export const logDrivers = ['json-file', 'local'] as const;

/** Docker's TaskSpec as the model has it; what is missing takes Swarm's defaults. */
export function readTaskTemplate(reader: ObjectReader): TaskTemplate {
  const hasContainer = reader.has('ContainerSpec');
  const container = reader.object('ContainerSpec');
  if (!hasContainer && !reader.has('PluginSpec') && !reader.has('NetworkAttachmentSpec')) reader.invalid('ContainerSpec', 'must be given');
  const runtime = reader.text('Runtime') ?? 'container';
  if (runtime !== 'container') reader.unsupported('Runtime', `orch runs only containers, not "${runtime}"`);
  const template = withoutUndefined({
    container: readContainerSpec(hasContainer ? container : new ObjectReader({}, '', bodyProblems())),
    resources: readResources(reader),
    restart: readRestartPolicy(reader),
    placement: readPlacement(reader),
    networks: reader.objects('Networks').map(readNetworkAttachment),
    logDriver: readLogDriver(reader),
    forceUpdate: reader.integer('ForceUpdate') ?? 0,
  });
  reader.end(['PluginSpec', 'NetworkAttachmentSpec', 'GenericSpec']);
  return template;
}

function readResources(reader: ObjectReader): ResourceRequirements {
  const resources = reader.object('Resources');
  const limits = resources.object('Limits');
  const reservations = resources.object('Reservations');
  const requirements = {
    limits: withoutUndefined({ nanoCpus: limits.amount('NanoCPUs'), memoryBytes: limits.amount('MemoryBytes'), pids: limits.amount('Pids') }),
    reservations: withoutUndefined({ nanoCpus: reservations.amount('NanoCPUs'), memoryBytes: reservations.amount('MemoryBytes') }),
  };
  limits.end(['GenericResources']);
  reservations.end(['GenericResources']);
  refuseSwap(resources);
  resources.end();
  return requirements;
}

/** 0 asks for something here, unlike elsewhere; a swappiness of -1 takes back an earlier wish. */
function refuseSwap(resources: ObjectReader): void {
  if (resources.integer('SwapBytes', { min: -1 }) !== undefined) resources.unsupported('SwapBytes', 'orch does not support this field');
  const swappiness = resources.integer('MemorySwappiness', { min: -1, max: 100 }) ?? -1;
  if (swappiness !== -1) resources.unsupported('MemorySwappiness', 'orch does not support this field');
}

function readRestartPolicy(reader: ObjectReader): RestartPolicy {
  const policy = reader.object('RestartPolicy');
  const restart = {
    condition: policy.oneOf('Condition', ['none', 'on-failure', 'any']) ?? defaultRestartPolicy.condition,
    delayMs: policy.durationMs('Delay') ?? defaultRestartPolicy.delayMs,
    maxAttempts: policy.integer('MaxAttempts') ?? defaultRestartPolicy.maxAttempts,
    windowMs: policy.durationMs('Window') ?? defaultRestartPolicy.windowMs,
  };
  policy.end();
  return restart;
}

function readPlacement(reader: ObjectReader): Placement {
  const written = reader.object('Placement');
  const placement = {
    constraints: written.texts('Constraints') ?? [],
    spread: written.objects('Preferences').map(readSpread),
    maxReplicasPerNode: written.integer('MaxReplicas') ?? 0,
    platforms: written.objects('Platforms').map((platform) => {
      const read = { os: platform.text('OS') ?? '', arch: ociArch(platform.text('Architecture') ?? '') };
      platform.end();
      return read;
    }),
  };
  written.end();
  return placement;
}

function readSpread(preference: ObjectReader): string {
  const spread = preference.object('Spread');
  const descriptor = spread.requiredText('SpreadDescriptor');
  spread.end();
  preference.end();
  return descriptor;
}

/** Docker's NetworkAttachmentConfig. */
export function readNetworkAttachment(reader: ObjectReader): NetworkAttachment {
  const network = { target: reader.requiredText('Target'), aliases: reader.texts('Aliases') ?? [] };
  reader.end(['DriverOpts']);
  return network;
}

function readLogDriver(reader: ObjectReader): TaskTemplate['logDriver'] {
  const driver = reader.object('LogDriver');
  const name = driver.text('Name');
  driver.end(['Options']);
  if (name === undefined) return undefined;
  if (!logDrivers.some((known) => known === name)) driver.unsupported('Name', `orch keeps logs itself (${logDrivers.join(', ')}) and has no log driver "${name}"`);
  return { name, options: {} };
}

/** Docker's TaskSpec; `readTaskTemplate` reads it back to the same. */
export function dockerTaskSpec(template: TaskTemplate): object {
  const { resources, restart, placement, logDriver } = template;
  const { limits, reservations } = resources;
  return withoutUndefined({
    ContainerSpec: dockerContainerSpec(template.container),
    Resources: {
      Limits: withoutUndefined({ NanoCPUs: limits.nanoCpus, MemoryBytes: limits.memoryBytes, Pids: limits.pids }),
      Reservations: withoutUndefined({ NanoCPUs: reservations.nanoCpus, MemoryBytes: reservations.memoryBytes }),
    },
    RestartPolicy: { Condition: restart.condition, Delay: nanoseconds(restart.delayMs), MaxAttempts: restart.maxAttempts, Window: nanoseconds(restart.windowMs) },
    Placement: withoutUndefined({
      Constraints: placement.constraints.length > 0 ? placement.constraints : undefined,
      Preferences: placement.spread.length > 0 ? placement.spread.map((descriptor) => ({ Spread: { SpreadDescriptor: descriptor } })) : undefined,
      MaxReplicas: placement.maxReplicasPerNode || undefined,
      Platforms: placement.platforms.length > 0 ? placement.platforms.map(({ os, arch }) => ({ Architecture: arch, OS: os })) : undefined,
    }),
    Networks: template.networks.length > 0 ? template.networks.map(({ target, aliases }) => withoutUndefined({ Target: target, Aliases: aliases.length > 0 ? aliases : undefined })) : undefined,
    LogDriver: logDriver && { Name: logDriver.name, Options: logDriver.options },
    ForceUpdate: template.forceUpdate,
    Runtime: 'container',
  });
}
