import type { AssignedTask } from '../model/assignment.ts';
import type { ContainerCreate, ContainerNetwork } from '../model/container.ts';
import { DEFAULT_STOP_GRACE_MS } from '../model/defaults.ts';
import { OrchError } from '../model/errors.ts';
import type { NodeId } from '../model/meta.ts';
import type { NodeDescription } from '../model/node.ts';
import type { ContainerSpec, PublishedPort, Revision } from '../model/service.ts';
import type { Attachment } from '../network/node-network.ts';
import type { ResolverConfig } from '../network/resolv-conf.ts';
import { expandTemplate, type TemplateContext } from './expand-template.ts';
import { containerIdOf, slotName, taskLabels, taskName } from './task-names.ts';

/** What a task's container depends on besides its revision. */
export type ContainerContext = {
  readonly nodeId: NodeId;
  readonly description: NodeDescription;
  /** Nameservers and so on for containers that bring none. */
  readonly resolver: ResolverConfig;
  /** Missing in host mode. */
  readonly attachment: Attachment | undefined;
};

export type NetworkMode = 'none' | 'host' | 'bridge';

/** The one network of a task on this node. Throws ORCH_UNSUPPORTED for networks that span nodes. */
export function networkModeOf(revision: Revision): NetworkMode {
  const [first, ...others] = revision.template.networks;
  const target = first?.target ?? 'bridge';
  if (others.length > 0) throw new OrchError('ORCH_UNSUPPORTED', 'A task can be on one network only, so far');
  if (target === 'none' || target === 'host' || target === 'bridge') return target;
  throw new OrchError('ORCH_UNSUPPORTED', `Network "${target}" can't be joined: so far there are only none, host and bridge`);
}

/** Ports that the task binds on its node. */
export const hostPortsOf = (revision: Revision): PublishedPort[] => revision.ports.filter((port) => port.mode === 'host');

/** Pure: the container of a task, with templates expanded and Docker's names and labels. Throws ORCH_INVALID for a template that can't be expanded. */
export function planContainer(task: AssignedTask, revision: Revision, context: ContainerContext): ContainerCreate {
  const spec = { ...plainSpec, ...revision.template.container };
  const id = containerIdOf(task.id);
  const name = taskName(task, context.nodeId);
  const expand = expander(task, name, context);
  const hostname = spec.hostname === undefined ? id.slice(0, 12) : expand(spec.hostname);
  return {
    id, name, image: spec.image,
    ...optionalFields(spec),
    env: spec.env.map(expand),
    labels: { ...spec.labels, ...systemLabels(task, name, context.nodeId) },
    hostname,
    mounts: spec.mounts.map((mount) => ({ ...mount, source: expand(mount.source), target: expand(mount.target) })),
    dns: { ...context.resolver, ...spec.dns },
    groups: spec.groups, tty: spec.tty, readOnly: spec.readOnly, stopGraceMs: spec.stopGraceMs, hosts: [...ownHosts(hostname, context.attachment), ...spec.hosts],
    capabilityAdd: spec.capabilityAdd, capabilityDrop: spec.capabilityDrop, sysctls: spec.sysctls, ulimits: spec.ulimits,
    oomScoreAdj: spec.oomScoreAdj, noNewPrivileges: spec.noNewPrivileges,
    limits: revision.template.resources.limits,
    network: planNetwork(revision, context.attachment),
  };
}

/** Lines of /etc/hosts by which a container finds its own addresses: many programs look up their host name. */
const ownHosts = (hostname: string, attachment: Attachment | undefined): string[] =>
  (attachment?.addresses ?? []).map((address) => `${address.split('/')[0]}\t${hostname.includes('.') ? `${hostname} ${hostname.split('.')[0]}` : hostname}`);

/** What a field means that the service does not set and no image answers. */
const plainSpec = {
  env: [], labels: {}, groups: [], tty: false, readOnly: false, stopGraceMs: DEFAULT_STOP_GRACE_MS, mounts: [], hosts: [],
  capabilityAdd: [], capabilityDrop: [], sysctls: {}, ulimits: [], oomScoreAdj: 0, noNewPrivileges: false,
} as const satisfies Partial<ContainerSpec>;

/** Fields that the image answers when the spec does not. */
const optionalFields = ({ command, args, dir, user, stopSignal }: ContainerSpec): Partial<ContainerCreate> => ({
  ...(command === undefined ? {} : { command }),
  ...(args === undefined ? {} : { args }),
  ...(dir === undefined ? {} : { workingDir: dir }),
  ...(user === undefined ? {} : { user }),
  ...(stopSignal === undefined ? {} : { stopSignal }),
});

const systemLabels = (task: AssignedTask, name: string, nodeId: NodeId): Record<string, string> => ({
  [taskLabels.nodeId]: nodeId, [taskLabels.serviceId]: task.serviceId, [taskLabels.serviceName]: task.serviceName,
  [taskLabels.task]: '', [taskLabels.taskId]: task.id, [taskLabels.taskName]: name,
});

function expander(task: AssignedTask, name: string, { nodeId, description }: ContainerContext): (text: string) => string {
  const template: TemplateContext = {
    service: { id: task.serviceId, name: task.serviceName, labels: task.serviceLabels },
    node: { id: nodeId, hostname: description.hostname, platform: description.platform },
    task: { id: task.id, name, slot: slotName(task, nodeId) },
  };
  return (text) => expandTemplate(text, template);
}

function planNetwork(revision: Revision, attachment: Attachment | undefined): ContainerNetwork {
  if (networkModeOf(revision) === 'host') return { mode: 'host' };
  if (!attachment) throw new Error('a container with a network of its own is made after its attachment');
  return { mode: 'namespace', path: attachment.namespacePath };
}
