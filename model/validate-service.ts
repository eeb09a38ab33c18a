import { nameProblem } from './names.ts';
import { parseConstraint, parseSpread } from './placement.ts';
import type { Problem } from './problems.ts';
import { durationMs, eachItem, labelProblems, oneOf, parseProblem, problemAt, repeated, requireThat, wholeNumber } from './problems.ts';
import type { ResourceRequirements } from './resources.ts';
import type { NetworkAttachment, Placement, PublishedPort, RestartPolicy, ServiceMode, ServiceSpec, TaskTemplate, UpdateConfig } from './service.ts';
import { validateContainer } from './validate-container.ts';

/** Least amounts that the kernel can hold a container to; Swarm's. */
const MIN_NANO_CPUS = 1_000_000;
const MIN_MEMORY_BYTES = 4 * 1024 ** 2;
const MAX_PORT = 65_535;

/** Everything wrong with a service spec at once, in the order of its fields; empty when it can be run. Needs no other object: whether networks exist and ports are free is checked where they are known. */
export function validateServiceSpec(spec: ServiceSpec): Problem[] {
  return [
    ...problemAt('name', nameProblem('service', spec.name)),
    ...labelProblems('labels', spec.labels),
    ...validateTemplate('template', spec.template),
    ...validateMode('mode', spec.mode),
    ...validateUpdate('update', spec.update),
    ...validateUpdate('rollback', spec.rollback),
    ...requireThat('rollback.failureAction', spec.rollback.failureAction !== 'rollback', 'a rollback that fails can only pause or continue'),
    ...validateEndpoint('endpoint', spec.endpoint),
  ];
}

/** The part of `validateServiceSpec` that a task template alone can fail. */
function validateTemplate(path: string, template: TaskTemplate): Problem[] {
  return [
    ...validateContainer(`${path}.container`, template.container),
    ...validateResources(`${path}.resources`, template.resources),
    ...validateRestart(`${path}.restart`, template.restart),
    ...validatePlacement(`${path}.placement`, template.placement),
    ...validateNetworks(`${path}.networks`, template.networks),
    ...requireThat(`${path}.logDriver.name`, template.logDriver?.name !== '', 'must not be empty'),
    ...wholeNumber(`${path}.forceUpdate`, template.forceUpdate, { min: 0 }),
  ];
}

function validateMode(path: string, mode: ServiceMode): Problem[] {
  return mode.type === 'replicated' ? wholeNumber(`${path}.replicas`, mode.replicas, { min: 0 }) : oneOf(`${path}.type`, mode.type, ['replicated', 'global']);
}

function validateResources(path: string, { limits, reservations }: ResourceRequirements): Problem[] {
  const isAbove = (reserved: number | undefined, limit: number | undefined): boolean => reserved !== undefined && limit !== undefined && limit !== 0 && reserved > limit;
  return [
    ...[['limits', limits] as const, ['reservations', reservations] as const].flatMap(([name, amounts]) => [
      ...amount(`${path}.${name}.nanoCpus`, amounts.nanoCpus, { min: MIN_NANO_CPUS, words: '0.001 CPUs (1000000)' }),
      ...amount(`${path}.${name}.memoryBytes`, amounts.memoryBytes, { min: MIN_MEMORY_BYTES, words: `4MiB (${MIN_MEMORY_BYTES})` }),
    ]),
    ...wholeNumber(`${path}.limits.pids`, limits.pids, { min: 0 }),
    ...requireThat(`${path}.reservations.nanoCpus`, !isAbove(reservations.nanoCpus, limits.nanoCpus), `must not be above the limit of ${limits.nanoCpus}`),
    ...requireThat(`${path}.reservations.memoryBytes`, !isAbove(reservations.memoryBytes, limits.memoryBytes), `must not be above the limit of ${limits.memoryBytes}`),
  ];
}

/** 0 means the same as a missing amount, as in Docker's API. */
function amount(path: string, value: number | undefined, least: { readonly min: number; readonly words: string }): Problem[] {
  const isWhole = value === undefined || (Number.isSafeInteger(value) && value >= 0);
  return isWhole ? requireThat(path, !value || value >= least.min, `must be at least ${least.words}, not ${value}`) : wholeNumber(path, value, { min: 0 });
}

function validateRestart(path: string, restart: RestartPolicy): Problem[] {
  return [
    ...oneOf(`${path}.condition`, restart.condition, ['none', 'on-failure', 'any']),
    ...durationMs(`${path}.delayMs`, restart.delayMs),
    ...wholeNumber(`${path}.maxAttempts`, restart.maxAttempts, { min: 0 }),
    ...durationMs(`${path}.windowMs`, restart.windowMs),
  ];
}

function validatePlacement(path: string, placement: Placement): Problem[] {
  return [
    ...eachItem(`${path}.constraints`, placement.constraints, (at, text) => parseProblem(at, () => parseConstraint(text))),
    ...eachItem(`${path}.spread`, placement.spread, (at, text) => parseProblem(at, () => parseSpread(text))),
    ...wholeNumber(`${path}.maxReplicasPerNode`, placement.maxReplicasPerNode, { min: 0 }),
    ...eachItem(`${path}.platforms`, placement.platforms, (at, { os, arch }) => requireThat(at, /^[\w.-]*$/.test(os) && /^[\w./-]*$/.test(arch), `must be such as linux/amd64, not "${os}/${arch}"`)),
  ];
}

function validateNetworks(path: string, networks: readonly NetworkAttachment[]): Problem[] {
  const alone = networks.find(({ target }) => target === 'none' || target === 'host');
  return [
    ...eachItem(path, networks, (at, network) => [
      ...problemAt(`${at}.target`, nameProblem('network', network.target)),
      ...eachItem(`${at}.aliases`, network.aliases, (aliasPath, alias) => problemAt(aliasPath, nameProblem('network', alias))),
    ]),
    ...repeated(path, networks, ({ target }) => ({ key: target, message: `the network "${target}" is attached already` })),
    ...requireThat(path, alone === undefined || networks.length === 1, `the network "${alone?.target}" cannot be combined with another`),
  ];
}

function validateUpdate(path: string, update: UpdateConfig): Problem[] {
  const ratio = update.maxFailureRatio;
  return [
    ...wholeNumber(`${path}.parallelism`, update.parallelism, { min: 0 }),
    ...durationMs(`${path}.delayMs`, update.delayMs),
    ...oneOf(`${path}.failureAction`, update.failureAction, ['pause', 'continue', 'rollback']),
    ...durationMs(`${path}.monitorMs`, update.monitorMs),
    ...requireThat(`${path}.maxFailureRatio`, ratio >= 0 && ratio <= 1, `must be from 0 to 1, not ${ratio}`),
    ...oneOf(`${path}.order`, update.order, ['stop-first', 'start-first']),
  ];
}

function validateEndpoint(path: string, { mode, ports }: ServiceSpec['endpoint']): Problem[] {
  return [
    ...oneOf(`${path}.mode`, mode, ['vip', 'dnsrr']),
    ...eachItem(`${path}.ports`, ports, validatePort),
    ...eachItem(`${path}.ports`, ports, (at, port) => requireThat(`${at}.mode`, mode !== 'dnsrr' || port.mode !== 'ingress', 'a service of endpoint mode dnsrr has no address for the routing mesh; use host')),
    ...repeated(`${path}.ports`, ports, ({ protocol, publishedPort }) => (
      // Both modes bind the port of the node, so one of each is one too many.
      { key: publishedPort === 0 ? undefined : `${publishedPort}/${protocol}`, message: `the port ${publishedPort}/${protocol} is published already` })),
  ];
}

function validatePort(path: string, port: PublishedPort): Problem[] {
  return [
    ...oneOf(`${path}.protocol`, port.protocol, ['tcp', 'udp', 'sctp']),
    ...wholeNumber(`${path}.targetPort`, port.targetPort, { min: 1, max: MAX_PORT }),
    ...wholeNumber(`${path}.publishedPort`, port.publishedPort, { min: 0, max: MAX_PORT }),
    ...oneOf(`${path}.mode`, port.mode, ['ingress', 'host']),
  ];
}
