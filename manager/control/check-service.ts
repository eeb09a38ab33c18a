import { OrchError } from '../../model/errors.ts';
import { throwIfInvalid } from '../../model/problems.ts';
import type { ContainerSpec, ServiceSpec } from '../../model/service.ts';
import { validateServiceSpec } from '../../model/validate-service.ts';

/** Networks that every node has. */
const nodeNetworks: ReadonlySet<string> = new Set(['none', 'host', 'bridge']);

/** Throws ORCH_INVALID listing everything wrong with the spec, and ORCH_UNSUPPORTED for what orch does not have. */
export function checkServiceSpec(spec: ServiceSpec): void {
  const service = `Service "${spec.name}"`;
  throwIfInvalid(service, validateServiceSpec(spec));
  const refusal = findUnsupported(spec);
  if (refusal) throw new OrchError('ORCH_UNSUPPORTED', `${service} ${refusal.sentence}`, { hint: refusal.hint });
}

type Refusal = { readonly sentence: string; readonly hint: string };

/** The first thing of the spec that orch does not have. */
function findUnsupported(spec: ServiceSpec): Refusal | undefined {
  const network = spec.template.networks.find(({ target }) => !nodeNetworks.has(target));
  if (network) return { sentence: `asks for the network "${network.target}", but orch has only none, host and bridge`, hint: 'Leave the network out: every task gets an address of its node\'s bridge' };
  const port = spec.endpoint.ports.find(({ mode }) => mode === 'ingress');
  if (port) {
    return {
      sentence: `publishes port ${port.targetPort} with mode=ingress, but orch has no routing mesh`,
      hint: `Publish it on the nodes that run its tasks: --publish mode=host,target=${port.targetPort},published=${port.publishedPort || port.targetPort}`,
    };
  }
  return findUnpublishable(spec) ?? findUnsupportedOfContainer(spec.template.container);
}

/** Without a network of its own nothing leads to a container's ports. On the node's network a port is the node's own: publishing it as itself keeps it free of others. */
function findUnpublishable({ endpoint, template }: ServiceSpec): Refusal | undefined {
  const on = (name: string): boolean => template.networks.some(({ target }) => target === name);
  const [first] = endpoint.ports;
  if (first && on('none')) return { sentence: `publishes port ${first.targetPort}, but has no network`, hint: 'Leave out the port, or the network none' };
  const translated = endpoint.ports.find(({ targetPort, publishedPort }) => targetPort !== publishedPort);
  if (!translated || !on('host')) return undefined;
  return {
    sentence: `publishes port ${translated.targetPort} as ${translated.publishedPort || 'any port'}, but on the network host containers listen on the node's own ports`,
    hint: `Publish the port as itself: --publish mode=host,target=${translated.targetPort},published=${translated.targetPort}`,
  };
}

function findUnsupportedOfContainer(container: ContainerSpec): Refusal | undefined {
  const mount = container.mounts?.find(({ type }) => type === 'volume');
  if (mount) return { sentence: `mounts the volume "${mount.source}" at ${mount.target}, but orch has no volumes`, hint: 'Mount a directory of the node (type=bind) or memory (type=tmpfs)' };
  const check = container.healthCheck?.test[0];
  if (check !== undefined && check !== 'NONE') return { sentence: 'asks for a health check, but orch has none', hint: 'Leave it out, or disable the image\'s with --no-healthcheck' };
  if (container.init === true) return { sentence: 'asks for an init process, but orch adds none', hint: 'Put one into the image' };
  if (container.openStdin === true) return { sentence: 'asks for an open standard input, but nothing can be attached to it', hint: 'Leave it out' };
  return undefined;
}

/** Throws ORCH_UNSUPPORTED for changes that a service can't go through. */
export function checkServiceChange(before: ServiceSpec, after: ServiceSpec): void {
  if (after.name !== before.name) {
    throw new OrchError('ORCH_UNSUPPORTED', `Service "${before.name}" can't be renamed to "${after.name}": its name is in use by its tasks`, { hint: 'Create a service with the new name and remove this one' });
  }
  if (after.mode.type !== before.mode.type) {
    throw new OrchError('ORCH_UNSUPPORTED', `Service "${before.name}" can't change from ${before.mode.type} to ${after.mode.type}`, { hint: 'Remove it and create it again' });
  }
}
