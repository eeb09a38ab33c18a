import { describeAge } from '../../model/units.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext, OutputChunk } from '../command.ts';
import type { DockerContainerSummary } from '../docker-objects.ts';
import { getJson, objectPath } from '../docker-objects.ts';
import type { Column } from '../list-output.ts';
import { filtersQuery, inspectFlags, listFlags, renderInspect, renderList, shortId } from '../list-output.ts';
import { isOrchError, OrchError } from '../../model/errors.ts';
import { logFlags, logQuery } from '../service/logs.ts';

export const ps = defineCommand({
  path: ['ps'], summary: 'List the containers of this node', args: { usage: [] }, examples: ['orch ps', 'orch ps --all --filter status=exited'],
  flags: { ...listFlags, all: { type: 'boolean', short: 'a', help: 'also those that have ended' }, last: { type: 'integer', short: 'n', min: 1, help: 'only the newest ones' } },
  async run({ client, clock }, _args, flags) {
    const query = [`all=${flags.all}`, filtersQuery(flags.filter), flags.last === undefined ? '' : `limit=${flags.last}`].filter((part) => part !== '').join('&');
    const containers = await getJson<DockerContainerSummary[]>(client, `/containers/json?${query}`);
    const shown: Column<DockerContainerSummary>[] = [
      { heading: 'CONTAINER ID', field: 'ID', read: (container) => shortId(container.Id, flags['no-trunc']) },
      { heading: 'IMAGE', field: 'Image', read: (container) => container.Image },
      { heading: 'COMMAND', field: 'Command', read: (container) => `"${flags['no-trunc'] || container.Command.length <= 24 ? container.Command : `${container.Command.slice(0, 23)}…`}"` },
      { heading: 'CREATED', field: 'RunningFor', read: (container) => describeAge(container.Created * 1000, clock.now()) },
      { heading: 'STATUS', field: 'Status', read: (container) => container.Status },
      { heading: 'PORTS', field: 'Ports', read: (container) => (container.Ports ?? []).map((port) => port.PublicPort === undefined ? `${port.PrivatePort}/${port.Type}` : `${port.IP ?? '0.0.0.0'}:${port.PublicPort}->${port.PrivatePort}/${port.Type}`).join(', ') },
      { heading: 'NAMES', field: 'Names', read: (container) => container.Names.map((name) => name.replace(/^\//, '')).join(',') },
    ];
    const more: Column<DockerContainerSummary>[] = [{ heading: 'STATE', field: 'State', read: (container) => container.State }];
    return renderList(containers, { shown, more }, { format: flags.format, quiet: flags.quiet, idField: 'ID' });
  },
});

export const logs = defineCommand({
  path: ['logs'], summary: 'Print what a container of this node has written', args: { usage: ['CONTAINER'] }, examples: ['orch logs --follow --tail 20 web.1'], flags: logFlags,
  run: async (context, args, flags) => printLogs(context, `${objectPath('containers', args[0] ?? '')}/logs?${logQuery(flags, context.clock.now())}`),
});

async function* printLogs(context: CommandContext, path: string): AsyncIterable<OutputChunk> {
  for await (const { stream, payload } of context.client.frames({ path, signal: context.signal })) yield { to: stream, bytes: payload };
}

/** Where `orch inspect` looks, in this order. */
const kinds = [
  { type: 'container', path: (name: string) => `${objectPath('containers', name)}/json` },
  { type: 'image', path: (name: string) => `/images/${name.split('/').map(encodeURIComponent).join('/')}/json` },
  { type: 'service', path: (name: string) => objectPath('services', name) },
  { type: 'task', path: (name: string) => objectPath('tasks', name) },
  { type: 'node', path: (name: string) => objectPath('nodes', name) },
] as const;

export const inspect = defineCommand({
  path: ['inspect'], summary: 'Show everything about containers, images, services, tasks or nodes', args: { usage: ['NAME|ID...'] },
  description: 'Looks for a container of this node first, then for an image, a service, a task, a node.', examples: ['orch inspect web', 'orch inspect --type node n1'],
  flags: { ...inspectFlags, type: { type: 'choice', choices: kinds.map((kind) => kind.type), help: 'look only for objects of this kind' } },
  async run(context, args, flags) {
    const wanted = kinds.filter((kind) => flags.type === undefined || kind.type === flags.type);
    return renderInspect(await Promise.all(args.map((name) => findAny(context, name, wanted))), flags.format);
  },
});

async function findAny({ client }: CommandContext, name: string, wanted: readonly (typeof kinds)[number][]): Promise<unknown> {
  for (const kind of wanted) {
    try {
      return await client.json({ path: kind.path(name) });
    } catch (error) {
      if (!isOrchError(error, 'ORCH_NOT_FOUND') && !isOrchError(error, 'ORCH_NOT_MANAGER')) throw error;
    }
  }
  throw new OrchError('ORCH_NOT_FOUND', `There is no ${wanted.map((kind) => kind.type).join(', ')} "${name}"`);
}
