import { defineCommand } from '../command.ts';
import type { DockerService } from '../docker-objects.ts';
import { getJson } from '../docker-objects.ts';
import type { Column } from '../list-output.ts';
import { filtersQuery, listFlags, renderList, shortId } from '../list-output.ts';

export const serviceList = defineCommand({
  path: ['service', 'ls'], aliases: ['list'], summary: 'List services', args: { usage: [] }, examples: ['orch service ls --filter label=tier=front', "orch service ls --format '{{.Name}} {{.Replicas}}'"], flags: listFlags,
  async run({ client }, _args, flags) {
    const services = await getJson<DockerService[]>(client, ['/services?status=true', filtersQuery(flags.filter)].filter((part) => part !== '').join('&'));
    const shown: Column<DockerService>[] = [
      { heading: 'ID', field: 'ID', read: (service) => shortId(service.ID, flags['no-trunc'] || flags.quiet) },
      { heading: 'NAME', field: 'Name', read: (service) => service.Spec.Name },
      { heading: 'MODE', field: 'Mode', read: (service) => service.Spec.Mode?.Global ? 'global' : 'replicated' },
      { heading: 'REPLICAS', field: 'Replicas', read: readReplicas },
      { heading: 'IMAGE', field: 'Image', read: (service) => service.Spec.TaskTemplate.ContainerSpec.Image },
      { heading: 'PORTS', field: 'Ports', read: readPorts },
    ];
    return renderList(services.toSorted((a, b) => a.Spec.Name.localeCompare(b.Spec.Name)), { shown }, { format: flags.format, quiet: flags.quiet, idField: 'ID' });
  },
});

const readReplicas = (service: DockerService): string => `${service.ServiceStatus?.RunningTasks ?? 0}/${service.ServiceStatus?.DesiredTasks ?? 0}`;
const readPorts = (service: DockerService): string =>
  (service.Spec.EndpointSpec?.Ports ?? []).map((port) => `*:${port.PublishedPort ?? 'any'}->${port.TargetPort}/${port.Protocol}${port.PublishMode === 'host' ? ' (host)' : ''}`).join(', ');
