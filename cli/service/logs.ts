import { OrchError, isOrchError } from '../../model/errors.ts';
import type { CommandContext, FlagSpecs, Flags, OutputChunk } from '../command.ts';
import { defineCommand } from '../command.ts';
import type { DockerService, DockerTask } from '../docker-objects.ts';
import { getJson, objectPath } from '../docker-objects.ts';
import { epochSeconds, parseTimeFlag } from '../time.ts';
import { nodeNames, taskName } from './tasks-of.ts';

/** Flags of every command that prints logs. */
export const logFlags = {
  follow: { type: 'boolean', short: 'f', help: 'go on with what comes' },
  since: { type: 'string', value: 'TIME', help: 'only from this time on: 2026-01-31T12:00:00Z, or how long ago (10m)' },
  until: { type: 'string', value: 'TIME', help: 'only before this time' },
  tail: { type: 'string', short: 'n', default: 'all', value: 'LINES', help: 'how many of the last lines to begin with' },
  timestamps: { type: 'boolean', short: 't', help: 'show times' },
} as const satisfies FlagSpecs;

/** The query parameters of Docker's log endpoints. Throws ORCH_USAGE. */
export function logQuery(flags: Flags<typeof logFlags>, nowMs: number, more: Readonly<Record<string, string>> = {}): string {
  if (flags.tail !== 'all' && !/^\d+$/.test(flags.tail)) throw new OrchError('ORCH_USAGE', `--tail must be a number of lines or all, not "${flags.tail}"`);
  return new URLSearchParams({
    stdout: 'true', stderr: 'true', follow: String(flags.follow), timestamps: String(flags.timestamps), tail: flags.tail,
    ...(flags.since === undefined ? {} : { since: epochSeconds(parseTimeFlag('since', flags.since, nowMs)) }),
    ...(flags.until === undefined ? {} : { until: epochSeconds(parseTimeFlag('until', flags.until, nowMs)) }),
    ...more,
  }).toString();
}

const serviceLogFlags = {
  ...logFlags,
  raw: { type: 'boolean', help: 'only what the tasks wrote, without their names' },
  'no-resolve': { type: 'boolean', help: 'show ids, not names' },
  'no-task-ids': { type: 'boolean', help: 'leave the ids of tasks out' },
  'no-trunc': { type: 'boolean', help: 'do not shorten ids' },
  details: { type: 'refused', help: 'attributes of the log driver', why: 'log drivers have no attributes yet' },
} as const satisfies FlagSpecs;

export const serviceLogs = defineCommand({
  path: ['service', 'logs'], summary: 'Print what the tasks of a service, or one task, write', args: { usage: ['SERVICE|TASK'] }, flags: serviceLogFlags,
  description: 'Lines of tasks on other nodes come through the manager; each has the name of its task and node before it.', examples: ['orch service logs --follow --tail 10 web', 'orch service logs --raw --since 1h web'],
  async run(context, args, flags) {
    const source = await findSource(context, args[0] ?? '');
    const { until, ...others } = flags;
    if (until !== undefined && source.path.startsWith('/services')) throw new OrchError('ORCH_UNSUPPORTED', '--until is not supported for services');
    return print(context, `${source.path}/logs?${logQuery({ ...others, until }, context.clock.now(), { details: 'true' })}`, { flags, name: source.name });
  },
});

/** A service by name or id, else a task by id. */
async function findSource({ client }: CommandContext, reference: string): Promise<{ path: string; name: string }> {
  try {
    const service = await getJson<DockerService>(client, objectPath('services', reference));
    return { path: objectPath('services', service.ID), name: service.Spec.Name };
  } catch (error) {
    if (!isOrchError(error, 'ORCH_NOT_FOUND')) throw error;
  }
  try {
    const task = await getJson<DockerTask>(client, objectPath('tasks', reference));
    const service = await getJson<DockerService>(client, objectPath('services', task.ServiceID));
    return { path: objectPath('tasks', task.ID), name: service.Spec.Name };
  } catch (error) {
    if (isOrchError(error, 'ORCH_NOT_FOUND')) throw new OrchError('ORCH_NOT_FOUND', `There is no service or task "${reference}"`, { hint: 'See `orch service ls`', cause: error });
    throw error;
  }
}

type PrintOptions = { readonly flags: Flags<typeof serviceLogFlags>; readonly name: string };

/** Puts `web.1.<task>@node    | ` before every line; the daemon sends these facts as details before it (Engine API, details=true). */
async function* print(context: CommandContext, path: string, options: PrintOptions): AsyncIterable<OutputChunk> {
  const { flags } = options;
  const nodes = flags['no-resolve'] ? new Map<string, string>() : await nodeNames(context.client);
  const tasks = new Map<string, DockerTask>();
  for await (const { stream, payload } of context.client.frames({ path, signal: context.signal })) {
    const text = payload.toString('utf8');
    const { details, rest } = splitDetails(text, flags.timestamps);
    const taskId = details.get('com.docker.swarm.task.id') ?? '';
    if (taskId !== '' && !tasks.has(taskId)) tasks.set(taskId, await getJson<DockerTask>(context.client, objectPath('tasks', taskId)));
    const task = tasks.get(taskId);
    const label = flags.raw || !task ? '' : `${labelOf(task, nodes, options)}    | `;
    yield { to: stream, bytes: `${label}${rest}` };
  }
}

function labelOf(task: DockerTask, nodes: ReadonlyMap<string, string>, { flags, name }: PrintOptions): string {
  const id = flags['no-task-ids'] ? '' : `.${flags['no-trunc'] ? task.ID : task.ID.slice(0, 12)}`;
  const node = task.NodeID ?? '';
  return `${taskName(task, flags['no-resolve'] ? task.ServiceID : name)}${id}@${nodes.get(node) ?? node}`;
}

/** Takes `[time ]key=value,key=value text` apart. */
function splitDetails(text: string, timestamps: boolean): { details: ReadonlyMap<string, string>; rest: string } {
  const match = (timestamps ? /^(\S+ )(\S*) ?([\s\S]*)$/ : /^()(\S*) ?([\s\S]*)$/).exec(text);
  if (!match?.[2]?.includes('com.docker.swarm.')) return { details: new Map(), rest: text };
  const pairs = match[2].split(',').map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    return [decodeURIComponent(pair.slice(0, equals)), decodeURIComponent(pair.slice(equals + 1))];
  });
  return { details: new Map(pairs), rest: `${match[1] ?? ''}${match[3] ?? ''}` };
}
