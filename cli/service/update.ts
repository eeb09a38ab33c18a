import { defineCommand } from '../command.ts';
import type { CommandContext, FlagSpec, OutputChunk } from '../command.ts';
import type { DockerService } from '../docker-objects.ts';
import { getJson, objectPath } from '../docker-objects.ts';
import { line } from '../output.ts';
import { replaceSpec } from './change.ts';
import { waitForConvergence } from './converge.ts';
import { later, scalarSpecFlags } from './spec-flags.ts';
import type { UpdateFlags } from './update-spec.ts';
import { refuseWithRollback, updateSpec } from './update-spec.ts';

/** The flags that change a list. What is removed is named by its key. */
const changes = (what: string, value: string, key: string) => ({
  add: { type: 'list', value, help: `${what} to add${value === key ? '' : ', or to replace'}` },
  rm: { type: 'list', value: key, help: `${what} to remove` },
} as const satisfies Record<string, FlagSpec>);

const env = changes('environment variable', 'NAME=VALUE', 'NAME');
const label = changes('label of the service', 'KEY=VALUE', 'KEY');
const containerLabel = changes('label of the containers', 'KEY=VALUE', 'KEY');
const constraint = changes('placement constraint', 'EXPRESSION', 'EXPRESSION');
const preference = changes('placement preference', 'spread=LABEL', 'spread=LABEL');
const mount = changes('mount', 'type=TYPE,...', 'TARGET');
const publish = {
  add: { type: 'list', value: 'mode=host,target=PORT,...', help: 'port of the containers to publish on their nodes too' },
  rm: { type: 'list', value: 'PORT[/PROTOCOL]', help: 'port of the containers to publish no longer' },
} as const satisfies Record<string, FlagSpec>;
const network = changes('network', 'NAME', 'NAME');
const host = changes('line of /etc/hosts', 'NAME:ADDRESS', 'NAME:ADDRESS');
const dns = changes('name server', 'ADDRESS', 'ADDRESS');
const dnsSearch = changes('DNS search domain', 'DOMAIN', 'DOMAIN');
const dnsOption = changes('DNS option', 'OPTION', 'OPTION');
const group = changes('supplementary group', 'NAME|GID', 'NAME|GID');
const sysctl = changes('kernel parameter', 'NAME=VALUE', 'NAME');
const ulimit = changes('resource limit', 'NAME=SOFT[:HARD]', 'NAME');

/** Flags of `service update`: scalars as on create, lists with -add and -rm. */
export const updateFlags = {
  ...scalarSpecFlags,
  image: { type: 'string', value: 'IMAGE', help: 'image of the tasks' },
  args: { type: 'string', value: 'COMMAND', help: 'command line of the containers' },
  replicas: { type: 'integer', min: 0, help: 'tasks to keep running' },
  force: { type: 'boolean', help: 'replace all tasks even if nothing changed' },
  rollback: { type: 'boolean', help: 'return to the previous spec' },
  'env-add': env.add, 'env-rm': env.rm, 'label-add': label.add, 'label-rm': label.rm, 'container-label-add': containerLabel.add, 'container-label-rm': containerLabel.rm,
  'constraint-add': constraint.add, 'constraint-rm': constraint.rm, 'placement-pref-add': preference.add, 'placement-pref-rm': preference.rm,
  'mount-add': mount.add, 'mount-rm': mount.rm, 'publish-add': publish.add, 'publish-rm': publish.rm, 'network-add': network.add, 'network-rm': network.rm,
  'host-add': host.add, 'host-rm': host.rm, 'dns-add': dns.add, 'dns-rm': dns.rm, 'dns-search-add': dnsSearch.add, 'dns-search-rm': dnsSearch.rm,
  'dns-option-add': dnsOption.add, 'dns-option-rm': dnsOption.rm, 'group-add': group.add, 'group-rm': group.rm,
  'sysctl-add': sysctl.add, 'sysctl-rm': sysctl.rm, 'ulimit-add': ulimit.add, 'ulimit-rm': ulimit.rm,
  'cap-add': { type: 'list', value: 'CAPABILITY', help: 'Linux capability to add' },
  'cap-drop': { type: 'list', value: 'CAPABILITY', help: 'Linux capability to drop' },
  'config-add': later('configs'), 'config-rm': later('configs'), 'secret-add': later('secrets'), 'secret-rm': later('secrets'),
  'generic-resource-add': later('generic resources'), 'generic-resource-rm': later('generic resources'), 'log-opt': later('log drivers'),
} as const satisfies Record<string, FlagSpec>;

export const serviceUpdate = defineCommand({
  path: ['service', 'update'], summary: 'Change a service; tasks are replaced as its update settings say', args: { usage: ['SERVICE'] }, flags: updateFlags,
  description: 'What is not given stays as it is. Only a change of what the containers are replaces tasks: some at a time, each watched for failure. A failed update pauses,\ngoes on or rolls back, as --update-failure-action says.',
  examples: ['orch service update --image demo:2 --update-parallelism 2 web', 'orch service update --env-add LEVEL=debug --constraint-rm node.labels.disk==ssd web', 'orch service update --update-failure-action rollback --image demo:3 web'],
  async run(context, args, flags) {
    if (flags.rollback) refuseWithRollback(flags);
    const service = await getJson<DockerService>(context.client, objectPath('services', args[0] ?? ''));
    return update(context, service, flags);
  },
});

async function* update(context: CommandContext, service: DockerService, flags: UpdateFlags): AsyncIterable<OutputChunk> {
  const path = `${objectPath('services', service.ID)}/update?version=${service.Version.Index}`;
  if (flags.rollback) await context.client.json({ method: 'POST', path: `${path}&rollback=previous`, body: service.Spec });
  else for (const warning of await replaceSpec(context, service, updateSpec(service.Spec, flags))) yield line(`warning: ${warning}`, 'stderr');
  yield line(service.Spec.Name);
  if (!flags.detach) yield* waitForConvergence(context, service.ID, { quiet: flags.quiet, ...(flags.rollback ? {} : { updated: service }) });
}
