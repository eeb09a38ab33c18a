import { formatBytes } from '../../model/units.ts';
import { isOrchError } from '../../model/errors.ts';
import type { CommandContext, OutputChunk } from '../command.ts';
import { defineCommand } from '../command.ts';
import type { DockerInfo } from '../docker-objects.ts';
import { getJson } from '../docker-objects.ts';
import { columns } from '../help.ts';
import { filtersQuery } from '../list-output.ts';
import { line, prettyJson } from '../output.ts';
import { jsonLines } from '../streams.ts';
import { compileTemplate } from '../template.ts';
import { epochSeconds, parseTimeFlag } from '../time.ts';
import { ORCH_VERSION } from '../../base/version.ts';

const formatFlag = { type: 'string', value: 'json|TEMPLATE', help: "json, or a Go template such as '{{.Name}}'" } as const;

export const info = defineCommand({
  path: ['info'], summary: 'Show this node and what it can do', args: { usage: [] }, examples: ['orch info', "orch info --format '{{.Swarm.NodeID}}'"], flags: { format: { ...formatFlag, short: 'f' } },
  async run({ client }, _args, flags) {
    const found = await getJson<DockerInfo>(client, '/info');
    if (flags.format === 'json') return JSON.stringify(found);
    if (flags.format !== undefined) return compileTemplate(flags.format)(found);
    return describe(found);
  },
});

function describe(found: DockerInfo): string {
  const text = (name: string): string => typeof found[name] === 'string' || typeof found[name] === 'number' ? String(found[name]) : '';
  const { Swarm } = found;
  const warnings = Array.isArray(found['Warnings']) ? found['Warnings'].map(String) : [];
  const cluster = Swarm.LocalNodeState === 'inactive' ? [['Cluster', 'none (make one with `orch init`, or `orch join` one)']] : [
    ['Cluster', Swarm.LocalNodeState === 'error' && Swarm.Error ? `error: ${Swarm.Error}` : Swarm.LocalNodeState], ['Node id', Swarm.NodeID], ['Role', Swarm.ControlAvailable ? 'manager' : 'worker'], ['Node address', Swarm.NodeAddr ?? ''],
    ['Managers', (Swarm.RemoteManagers ?? []).map((manager) => manager.Addr).join(', ')],
  ];
  return [...columns([
    ['Name', text('Name')], ['Server version', text('ServerVersion')], ...cluster,
    ['Containers', `${text('Containers')} (${text('ContainersRunning')} running, ${text('ContainersStopped')} ended)`], ['Images', text('Images')],
    ['Runtime', text('DefaultRuntime')], ['Cgroups', `version ${text('CgroupVersion')}, driver ${text('CgroupDriver')}`], ['Storage', text('Driver')],
    ['Kernel', text('KernelVersion')], ['System', text('OperatingSystem')], ['Architecture', text('Architecture')], ['CPUs', text('NCPU')], ['Memory', formatBytes(Number(found['MemTotal'] ?? 0))], ['Data directory', text('DockerRootDir')],
  ]), ...warnings.map((warning) => `WARNING: ${warning}`)].join('\n');
}

export const version = defineCommand({
  path: ['version'], summary: 'Show the version of the command and of the daemon', args: { usage: [] }, examples: ['orch version --format json'], flags: { format: { ...formatFlag, short: 'f' } },
  async run({ client }, _args, flags) {
    const server = await serverVersion(client);
    const both = { Client: { Version: ORCH_VERSION, NodeVersion: process.version }, ...(server === undefined ? {} : { Server: server }) };
    if (flags.format === 'json') return prettyJson(both);
    if (flags.format !== undefined) return compileTemplate(flags.format)(both);
    return columns([['Client', ORCH_VERSION], ['Server', server === undefined ? 'not running' : `${String(server['Version'])} (API ${String(server['ApiVersion'])})`]]).join('\n');
  },
});

/** The daemon's answer; undefined where none runs. */
async function serverVersion(client: CommandContext['client']): Promise<Record<string, unknown> | undefined> {
  try {
    return await getJson<Record<string, unknown>>(client, '/version');
  } catch (error) {
    if (isOrchError(error, 'ORCH_UNREACHABLE')) return undefined;
    throw error;
  }
}

export const events = defineCommand({
  path: ['events'], summary: 'Print what happens, as it happens', args: { usage: [] }, examples: ['orch events --filter type=service', 'orch events --since 10m --until 0s --format json'],
  flags: {
    filter: { type: 'list', short: 'f', value: 'KEY=VALUE', help: 'show only what matches: type=service, event=create, container=NAME' },
    since: { type: 'string', value: 'TIME', help: 'begin with what happened since this time' },
    until: { type: 'string', value: 'TIME', help: 'end at this time' },
    format: formatFlag,
  },
  async run(context, _args, flags) {
    const at = (flag: 'since' | 'until'): Record<string, string> => flags[flag] === undefined ? {} : { [flag]: epochSeconds(parseTimeFlag(flag, flags[flag], context.clock.now())) };
    const query = [new URLSearchParams({ ...at('since'), ...at('until') }).toString(), filtersQuery(flags.filter)].filter((part) => part !== '').join('&');
    return printEvents(context, `/events?${query}`, flags.format);
  },
});

type DockerEvent = { readonly Type: string; readonly Action: string; readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> }; readonly time: number; readonly timeNano: number };

async function* printEvents({ client, signal }: CommandContext, path: string, format: string | undefined): AsyncIterable<OutputChunk> {
  const render = format === undefined || format === 'json' ? undefined : compileTemplate(format);
  for await (const value of jsonLines(client.stream({ path, signal }))) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API's own tests hold events to Docker's schema
    const event = value as DockerEvent;
    if (format === 'json') yield line(JSON.stringify(event));
    else yield line(render ? render(event) : describeEvent(event));
  }
}

function describeEvent(event: DockerEvent): string {
  const attributes = Object.entries(event.Actor.Attributes ?? {}).map(([key, value]) => `${key}=${value}`).join(', ');
  return `${Temporal.Instant.fromEpochMilliseconds(Math.trunc(event.timeNano / 1e6)).toString()} ${event.Type} ${event.Action} ${event.Actor.ID}${attributes === '' ? '' : ` (${attributes})`}`;
}
