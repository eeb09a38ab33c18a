import { OrchError } from '../../model/errors.ts';
import type { CommandContext, OutputChunk } from '../command.ts';
import { defineCommand } from '../command.ts';
import type { DockerService } from '../docker-objects.ts';
import { getJson, objectPath } from '../docker-objects.ts';
import { inspectFlags, renderInspect } from '../list-output.ts';
import { line } from '../output.ts';
import { waitForConvergence } from './converge.ts';
import type { DockerServiceSpec } from './docker-spec.ts';

/** Replaces a service's spec at the version it was read at; returns the warnings. */
export async function replaceSpec(context: CommandContext, service: DockerService, spec: DockerServiceSpec): Promise<readonly string[]> {
  const answer = await getJson<{ Warnings?: string[] | null }>(context.client, `${objectPath('services', service.ID)}/update?version=${service.Version.Index}`, { method: 'POST', body: spec });
  return answer.Warnings ?? [];
}

export const serviceScale = defineCommand({
  path: ['service', 'scale'], summary: 'Change how many tasks of services run', description: 'Waits until the services run as wanted, and says why when one does not.', args: { usage: ['SERVICE=REPLICAS...'] },
  examples: ['orch service scale web=5 worker=0'],
  flags: { detach: { type: 'boolean', short: 'd', help: 'do not wait until the services run as wanted' } },
  async run(context, args, flags) {
    const wishes = args.map(parseScale);
    // all are looked up before any is changed, so that a wrong name changes nothing
    const services = await Promise.all(wishes.map(async (wish) => ({ ...wish, service: scalable(await getJson<DockerService>(context.client, objectPath('services', wish.name))) })));
    return scale(context, services, flags.detach);
  },
});

function parseScale(text: string): { name: string; replicas: number } {
  const match = /^([^=]+)=(\d+)$/.exec(text);
  if (!match) throw new OrchError('ORCH_USAGE', `"${text}" does not say how many tasks should run`, { hint: 'Write SERVICE=REPLICAS, such as web=5' });
  return { name: match[1] ?? '', replicas: Number(match[2]) };
}

function scalable(service: DockerService): DockerService {
  if (service.Spec.Mode?.Replicated) return service;
  throw new OrchError('ORCH_INVALID', `Service "${service.Spec.Name}" is global: it runs one task on each node and can't be scaled`);
}

async function* scale(context: CommandContext, wishes: readonly { service: DockerService; replicas: number }[], detach: boolean): AsyncIterable<OutputChunk> {
  for (const { service, replicas } of wishes) {
    for (const warning of await replaceSpec(context, service, { ...service.Spec, Mode: { Replicated: { Replicas: replicas } } })) yield line(`warning: ${warning}`, 'stderr');
    yield line(`${service.Spec.Name} scaled to ${replicas}`);
  }
  if (!detach) for (const { service } of wishes) yield* waitForConvergence(context, service.ID, { quiet: false });
}

export const serviceRemove = defineCommand({
  path: ['service', 'rm'], aliases: ['remove'], summary: 'Remove services and stop their tasks', args: { usage: ['SERVICE...'] }, examples: ['orch service rm web worker'], flags: {},
  async run({ client }, args) {
    const services = await Promise.all(args.map((name) => getJson<DockerService>(client, objectPath('services', name))));
    for (const service of services) await client.json({ method: 'DELETE', path: objectPath('services', service.ID) });
    return services.map((service) => service.Spec.Name).join('\n');
  },
});

export const serviceRollback = defineCommand({
  path: ['service', 'rollback'], summary: 'Return a service to its previous spec', args: { usage: ['SERVICE'] }, examples: ['orch service rollback web'],
  flags: { detach: { type: 'boolean', short: 'd', help: 'do not wait until the service runs as wanted' }, quiet: { type: 'boolean', short: 'q', help: 'print no progress' } },
  async run(context, args, flags) {
    const service = await getJson<DockerService>(context.client, objectPath('services', args[0] ?? ''));
    return rollback(context, service, flags);
  },
});

async function* rollback(context: CommandContext, service: DockerService, options: { detach: boolean; quiet: boolean }): AsyncIterable<OutputChunk> {
  await context.client.json({ method: 'POST', path: `${objectPath('services', service.ID)}/update?version=${service.Version.Index}&rollback=previous`, body: service.Spec });
  yield line(service.Spec.Name);
  if (!options.detach) yield* waitForConvergence(context, service.ID, { quiet: options.quiet });
}

export const serviceInspect = defineCommand({
  path: ['service', 'inspect'], summary: 'Show everything about services', args: { usage: ['SERVICE...'] }, examples: ['orch service inspect web', "orch service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' web"],
  flags: { ...inspectFlags, pretty: { type: 'boolean', help: 'accepted for Docker\'s sake: JSON is always indented' } },
  async run({ client }, args, flags) {
    return renderInspect(await Promise.all(args.map((name) => client.json({ path: objectPath('services', name) }))), flags.format);
  },
});
