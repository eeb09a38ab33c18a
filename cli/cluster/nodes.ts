import { OrchError } from '../../model/errors.ts';
import { formatBytes, formatCpus } from '../../model/units.ts';
import type { CommandContext } from '../command.ts';
import { defineCommand } from '../command.ts';
import type { DockerInfo, DockerNode } from '../docker-objects.ts';
import { getJson, objectPath } from '../docker-objects.ts';
import type { Column } from '../list-output.ts';
import { filtersQuery, inspectFlags, listFlags, renderInspect, renderList } from '../list-output.ts';
import { findNodeId } from '../service/task-list.ts';
import { parsePairs } from '../service/parse-values.ts';

const capitalize = (text: string): string => text.replace(/^./, (first) => first.toUpperCase());

export const nodeList = defineCommand({
  path: ['node', 'ls'], aliases: ['list'], summary: 'List the nodes of the cluster', args: { usage: [] }, examples: ['orch node ls', 'orch node ls --filter role=worker --quiet'], flags: listFlags,
  async run({ client }, _args, flags) {
    const query = filtersQuery(flags.filter);
    const [nodes, information] = await Promise.all([getJson<DockerNode[]>(client, query === '' ? '/nodes' : `/nodes?${query}`), getJson<DockerInfo>(client, '/info')]);
    const isSelf = (node: DockerNode): boolean => node.ID === information.Swarm.NodeID;
    const shown: Column<DockerNode>[] = [
      { heading: 'ID', field: 'ID', read: (node) => flags.format === undefined && !flags.quiet && isSelf(node) ? `${node.ID} *` : node.ID },
      { heading: 'HOSTNAME', field: 'Hostname', read: (node) => node.Spec.Name || (node.Description?.Hostname ?? '') },
      { heading: 'STATUS', field: 'Status', read: (node) => capitalize(node.Status.State) },
      { heading: 'AVAILABILITY', field: 'Availability', read: (node) => capitalize(node.Spec.Availability) },
      { heading: 'MANAGER STATUS', field: 'ManagerStatus', read: (node) => node.ManagerStatus ? (node.ManagerStatus.Leader ? 'Leader' : capitalize(node.ManagerStatus.Reachability ?? '')) : '' },
      { heading: 'ADDRESS', field: 'Address', read: (node) => node.Status.Addr ?? '' },
      { heading: 'ENGINE VERSION', field: 'EngineVersion', read: (node) => node.Description?.Engine?.EngineVersion ?? '' },
    ];
    const more: Column<DockerNode>[] = [
      { heading: 'SELF', field: 'Self', read: (node) => String(isSelf(node)) },
      { heading: 'ROLE', field: 'Role', read: (node) => node.Spec.Role },
      { heading: 'MESSAGE', field: 'Message', read: (node) => node.Status.Message ?? '' },
      { heading: 'CPUS', field: 'CPUs', read: (node) => formatCpus(node.Description?.Resources?.NanoCPUs ?? 0) },
      { heading: 'MEMORY', field: 'Memory', read: (node) => formatBytes(node.Description?.Resources?.MemoryBytes ?? 0) },
    ];
    return renderList(nodes.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true })), { shown, more }, { format: flags.format, quiet: flags.quiet, idField: 'ID' });
  },
});

const nameOf = (node: DockerNode): string => node.Spec.Name || (node.Description?.Hostname ?? node.ID);

export const nodeInspect = defineCommand({
  path: ['node', 'inspect'], summary: 'Show everything about nodes (`self` is this one)', args: { usage: ['NODE...'] }, examples: ['orch node inspect self', "orch node inspect --format '{{.Status.State}}' n2"],
  flags: { ...inspectFlags, pretty: { type: 'boolean', help: 'accepted for Docker\'s sake: JSON is always indented' } },
  async run(context, args, flags) {
    const ids = await Promise.all(args.map((reference) => findNodeId(context, reference)));
    return renderInspect(await Promise.all(ids.map((id) => context.client.json({ path: objectPath('nodes', id) }))), flags.format);
  },
});

export const nodeUpdate = defineCommand({
  path: ['node', 'update'], summary: 'Change a node\'s labels, availability or role', args: { usage: ['NODE'] },
  examples: ['orch node update --label-add disk=ssd n2', 'orch node update --availability drain n3'],
  flags: {
    availability: { type: 'choice', choices: ['active', 'pause', 'drain'], help: 'whether the node takes tasks: pause keeps what it has, drain gives it away' },
    role: { type: 'choice', choices: ['worker', 'manager'], help: 'role in the cluster' },
    'label-add': { type: 'list', value: 'KEY=VALUE', help: 'label to add or replace' },
    'label-rm': { type: 'list', value: 'KEY', help: 'label to remove' },
  },
  async run(context, args, flags) {
    return changeNode(context, args[0] ?? '', (spec) => {
      const missing = flags['label-rm'].find((key) => spec.Labels?.[key] === undefined);
      if (missing !== undefined) throw new OrchError('ORCH_NOT_FOUND', `Node ${args[0] ?? ''} has no label "${missing}"`);
      const kept = Object.fromEntries(Object.entries(spec.Labels ?? {}).filter(([key]) => !flags['label-rm'].includes(key)));
      return { ...spec, Labels: { ...kept, ...parsePairs('label-add', flags['label-add']) }, Role: flags.role ?? spec.Role, Availability: flags.availability ?? spec.Availability };
    });
  },
});

async function changeNode(context: CommandContext, reference: string, change: (spec: DockerNode['Spec']) => DockerNode['Spec']): Promise<string> {
  const node = await getJson<DockerNode>(context.client, objectPath('nodes', await findNodeId(context, reference)));
  await context.client.json({ method: 'POST', path: `${objectPath('nodes', node.ID)}/update?version=${node.Version.Index}`, body: change(node.Spec) });
  return nameOf(node);
}

export const nodePromote = defineCommand({
  path: ['node', 'promote'], summary: 'Make nodes managers', args: { usage: ['NODE...'] }, examples: ['orch node promote n2 n3'], flags: {},
  async run(context, args) {
    const names: string[] = [];
    for (const reference of args) names.push(await changeNode(context, reference, (spec) => ({ ...spec, Role: 'manager' })));
    return names.join('\n');
  },
});

export const nodeDemote = defineCommand({
  path: ['node', 'demote'], summary: 'Make managers workers', args: { usage: ['NODE...'] }, examples: ['orch node demote n3'], flags: {},
  async run(context, args) {
    const names: string[] = [];
    for (const reference of args) names.push(await changeNode(context, reference, (spec) => ({ ...spec, Role: 'worker' })));
    return names.join('\n');
  },
});

export const nodeRemove = defineCommand({
  path: ['node', 'rm'], aliases: ['remove'], summary: 'Remove nodes from the cluster; their certificates are refused from then on', args: { usage: ['NODE...'] }, examples: ['orch node rm n3', 'orch node rm --force n3'],
  flags: { force: { type: 'boolean', short: 'f', help: 'even if the node is up' } },
  async run(context, args, flags) {
    const ids = await Promise.all(args.map((reference) => findNodeId(context, reference)));
    for (const id of ids) await context.client.json({ method: 'DELETE', path: `${objectPath('nodes', id)}?force=${flags.force}` });
    return args.join('\n');
  },
});
