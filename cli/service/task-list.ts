import type { CommandContext, FlagSpecs, Flags } from '../command.ts';
import { defineCommand } from '../command.ts';
import type { DockerService, DockerTask } from '../docker-objects.ts';
import { getJson, objectPath } from '../docker-objects.ts';
import type { Column } from '../list-output.ts';
import { filtersQuery, listFlags, renderList, shortId } from '../list-output.ts';
import { OrchError } from '../../model/errors.ts';
import { describeAge } from '../../model/units.ts';
import { parseTimestampMs } from '../time.ts';
import { inListOrder, nodeNames, serviceNames, taskName } from './tasks-of.ts';

const SHORT_ERROR = 60;

const taskListFlags = {
  ...listFlags,
  'no-resolve': { type: 'boolean', help: 'show ids of nodes and services, not names' },
  all: { type: 'boolean', short: 'a', help: 'accepted for convenience: ended tasks are always shown' },
} as const satisfies FlagSpecs;

type TaskListFlags = Flags<typeof taskListFlags>;

export const servicePs = defineCommand({
  path: ['service', 'ps'], summary: 'List the tasks of services: where they run, and why one does not', args: { usage: ['SERVICE...'] },
  description: 'Earlier attempts stand below the current task of their slot.', examples: ['orch service ps web', 'orch service ps --filter desired-state=running --format json web'], flags: taskListFlags,
  async run(context, args, flags) {
    const services = await Promise.all(args.map((name) => getJson<DockerService>(context.client, objectPath('services', name))));
    return listTasks(context, services.map((service) => `service=${service.ID}`), flags);
  },
});

export const nodePs = defineCommand({
  path: ['node', 'ps'], summary: 'List the tasks of nodes (default: of this one)', args: { usage: ['[NODE...]'] }, examples: ['orch node ps', 'orch node ps --filter desired-state=running n2'], flags: taskListFlags,
  async run(context, args, flags) {
    const names = args.length === 0 ? ['self'] : args;
    const nodes = await Promise.all(names.map((name) => findNodeId(context, name)));
    return listTasks(context, nodes.map((id) => `node=${id}`), flags);
  },
});

/** The id behind a node's name, id or `self`. */
export async function findNodeId({ client }: CommandContext, reference: string): Promise<string> {
  if (reference === 'self') {
    const info = await getJson<{ Swarm: { NodeID: string } }>(client, '/info');
    if (info.Swarm.NodeID === '') throw new OrchError('ORCH_NOT_MANAGER', 'This node is not in a cluster', { hint: 'Use `orch init` or `orch join`' });
    return info.Swarm.NodeID;
  }
  return (await getJson<{ ID: string }>(client, objectPath('nodes', reference))).ID;
}

async function listTasks({ client, clock }: CommandContext, scope: readonly string[], flags: TaskListFlags): Promise<string> {
  const tasks = await getJson<DockerTask[]>(client, `/tasks?${filtersQuery([...scope, ...flags.filter])}`);
  const [nodes, services] = await Promise.all([nodeNames(client), serviceNames(client)]);
  const serviceOf = (task: DockerTask): string => flags['no-resolve'] ? task.ServiceID : services.get(task.ServiceID) ?? task.ServiceID;
  const nodeOf = (task: DockerTask): string => task.NodeID === undefined || task.NodeID === '' ? '' : flags['no-resolve'] ? task.NodeID : nodes.get(task.NodeID) ?? task.NodeID;
  const ordered = inListOrder(tasks);
  const isOld = (task: DockerTask): boolean => ordered.findIndex((other) => other.ServiceID === task.ServiceID && other.Slot === task.Slot && (task.Slot ? true : other.NodeID === task.NodeID)) !== ordered.indexOf(task);
  const shown: Column<DockerTask>[] = [
    { heading: 'ID', field: 'ID', read: (task) => shortId(task.ID, flags['no-trunc'] || flags.quiet) },
    { heading: 'NAME', field: 'Name', read: (task) => `${isOld(task) && flags.format === undefined ? ' \\_ ' : ''}${taskName(task, serviceOf(task))}` },
    { heading: 'IMAGE', field: 'Image', read: (task) => task.Spec.ContainerSpec.Image },
    { heading: 'NODE', field: 'Node', read: nodeOf },
    { heading: 'DESIRED STATE', field: 'DesiredState', read: (task) => capitalize(task.DesiredState) },
    { heading: 'CURRENT STATE', field: 'CurrentState', read: (task) => `${capitalize(task.Status.State)} ${describeAge(parseTimestampMs(task.Status.Timestamp), clock.now())}` },
    { heading: 'ERROR', field: 'Error', read: (task) => readError(task, flags['no-trunc'] || flags.format !== undefined) },
    { heading: 'PORTS', field: 'Ports', read: (task) => (task.Status.PortStatus?.Ports ?? []).map((port) => `*:${port.PublishedPort}->${port.TargetPort}/${port.Protocol}`).join(',') },
  ];
  const more: Column<DockerTask>[] = [
    { heading: 'ADDRESSES', field: 'Addresses', read: (task) => (task.NetworksAttachments ?? []).flatMap((attachment) => attachment.Addresses ?? []).join(',') },
    { heading: 'CONTAINER', field: 'Container', read: (task) => task.Status.ContainerStatus?.ContainerID ?? '' },
    { heading: 'PID', field: 'Pid', read: (task) => String(task.Status.ContainerStatus?.PID ?? 0) },
    { heading: 'STATE', field: 'State', read: (task) => task.Status.State },
    { heading: 'SLOT', field: 'Slot', read: (task) => String(task.Slot ?? 0) },
  ];
  return renderList(ordered, { shown, more }, { format: flags.format, quiet: flags.quiet, idField: 'ID' });
}

const capitalize = (text: string): string => text.replace(/^./, (first) => first.toUpperCase());

/** Why a task failed, or why it waits. */
function readError(task: DockerTask, full: boolean): string {
  const text = task.Status.Err || (task.Status.State === 'pending' ? task.Status.Message ?? '' : '');
  return full || text.length <= SHORT_ERROR ? text : `"${text.slice(0, SHORT_ERROR)}…"`;
}
