import { OrchError } from '../../model/errors.ts';
import type { Flags } from '../command.ts';
import { orNothing, present, scalarContainerFields, scalarTaskFields, updateConfig } from './build-spec.ts';
import type { DockerContainerSpec, DockerPort, DockerServiceSpec } from './docker-spec.ts';
import { parseHost, parseMount, parsePairs, parsePlacementPreference, parsePublish, parseUlimit, splitShellWords } from './parse-values.ts';
import type { updateFlags } from './update.ts';

export type UpdateFlags = Flags<typeof updateFlags>;
type TaskTemplate = DockerServiceSpec['TaskTemplate'];

/** A list without the items whose key is in `remove`, then with `add`, each replacing one of its key. Removing what is not there is no error, as in Docker. */
function changeList<T>(current: readonly T[] | undefined, change: { add: readonly T[]; remove: readonly string[] }, keyOf: (item: T) => string): T[] | undefined {
  const gone = new Set([...change.remove, ...change.add.map(keyOf)]);
  const list = [...(current ?? []).filter((item) => !gone.has(keyOf(item))), ...change.add];
  return list.length === 0 && current === undefined ? undefined : list;
}

const changeStrings = (current: readonly string[] | undefined, add: readonly string[], remove: readonly string[]): string[] | undefined => changeList(current, { add, remove }, (item) => item);

function changeRecord(current: Readonly<Record<string, string>> | undefined, add: Readonly<Record<string, string>>, remove: readonly string[]): Record<string, string> | undefined {
  const record = { ...Object.fromEntries(Object.entries(current ?? {}).filter(([key]) => !remove.includes(key))), ...add };
  return Object.keys(record).length === 0 && current === undefined ? undefined : record;
}

const nameOf = (text: string): string => text.split('=')[0] ?? text;

function changeContainer(current: DockerContainerSpec, flags: UpdateFlags): DockerContainerSpec {
  const dns = current.DNSConfig ?? {};
  return present<DockerContainerSpec>({
    ...current, ...scalarContainerFields(flags),
    Image: flags.image ?? current.Image,
    Args: flags.args === undefined ? current.Args : splitShellWords(flags.args),
    Env: changeList(current.Env, { add: flags['env-add'], remove: flags['env-rm'] }, nameOf),
    Labels: changeRecord(current.Labels, parsePairs('container-label-add', flags['container-label-add']), flags['container-label-rm']),
    Mounts: changeList(current.Mounts, { add: flags['mount-add'].map(parseMount), remove: flags['mount-rm'] }, (mount) => mount.Target),
    Hosts: changeList(current.Hosts, { add: flags['host-add'].map(parseHost), remove: flags['host-rm'].map(parseHost) }, (host) => host),
    Groups: changeStrings(current.Groups, flags['group-add'], flags['group-rm']),
    Sysctls: changeRecord(current.Sysctls, parsePairs('sysctl-add', flags['sysctl-add']), flags['sysctl-rm']),
    Ulimits: changeList(current.Ulimits, { add: flags['ulimit-add'].map(parseUlimit), remove: flags['ulimit-rm'] }, (ulimit) => ulimit.Name),
    CapabilityAdd: changeStrings(current.CapabilityAdd, flags['cap-add'], flags['cap-drop']),
    CapabilityDrop: changeStrings(current.CapabilityDrop, flags['cap-drop'], flags['cap-add']),
    DNSConfig: orNothing(present({
      Nameservers: changeStrings(dns.Nameservers, flags['dns-add'], flags['dns-rm']),
      Search: changeStrings(dns.Search, flags['dns-search-add'], flags['dns-search-rm']),
      Options: changeStrings(dns.Options, flags['dns-option-add'], flags['dns-option-rm']),
    })),
  });
}

function changeTemplate(current: TaskTemplate, flags: UpdateFlags): TaskTemplate {
  const { MaxReplicas, Resources, RestartPolicy } = scalarTaskFields(flags);
  const placement = current.Placement ?? {};
  return present<TaskTemplate>({
    ...current,
    ContainerSpec: changeContainer(current.ContainerSpec, flags),
    Resources: orNothing(present({
      Limits: orNothing({ ...current.Resources?.Limits, ...Resources?.Limits }),
      Reservations: orNothing({ ...current.Resources?.Reservations, ...Resources?.Reservations }),
    })),
    RestartPolicy: orNothing({ ...current.RestartPolicy, ...RestartPolicy }),
    Placement: orNothing(present<NonNullable<TaskTemplate['Placement']>>({
      ...placement,
      Constraints: changeStrings(placement.Constraints, flags['constraint-add'], flags['constraint-rm']),
      Preferences: changeList(placement.Preferences, { add: flags['placement-pref-add'].map(parsePlacementPreference), remove: flags['placement-pref-rm'].map((text) => parsePlacementPreference(text).Spread.SpreadDescriptor) }, (preference) => preference.Spread.SpreadDescriptor),
      MaxReplicas: MaxReplicas ?? placement.MaxReplicas,
    })),
    Networks: changeList(current.Networks, { add: flags['network-add'].map((target) => ({ Target: target })), remove: flags['network-rm'] }, (network) => network.Target),
    ForceUpdate: flags.force ? (current.ForceUpdate ?? 0) + 1 : current.ForceUpdate,
  });
}

function changeMode(spec: DockerServiceSpec, replicas: number | undefined): DockerServiceSpec['Mode'] {
  if (replicas === undefined) return spec.Mode;
  if (spec.Mode?.Replicated) return { Replicated: { Replicas: replicas } };
  throw new OrchError('ORCH_USAGE', `--replicas: service "${spec.Name}" is global and runs one task on each node`);
}

/** Ports to remove are named by what they lead to, whatever they are published at. Adding the same port twice adds it once. */
function changePorts(current: readonly DockerPort[] | undefined, add: readonly DockerPort[], remove: readonly DockerPort[]): DockerPort[] | undefined {
  const isGone = (port: DockerPort): boolean => remove.some((gone) => gone.TargetPort === port.TargetPort && gone.Protocol === port.Protocol);
  const keyOf = (port: DockerPort): string => `${port.Protocol} ${port.TargetPort} ${port.PublishedPort ?? 0} ${port.PublishMode}`;
  return changeList(current?.filter((port) => !isGone(port)), { add, remove: [] }, keyOf);
}

/** Throws ORCH_USAGE when `--rollback` comes with a flag that it would make meaningless. */
export function refuseWithRollback(flags: UpdateFlags): void {
  const { rollback: _rollback, detach: _detach, quiet: _quiet, ...others } = flags;
  const given = Object.entries(others).find(([, value]) => Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false);
  if (given) throw new OrchError('ORCH_USAGE', `--${given[0]} can't be given with --rollback, which brings the whole previous spec back`);
}

/** The spec that `service update` asks for; pure. Flags that were not given change nothing. */
export function updateSpec(spec: DockerServiceSpec, flags: UpdateFlags): DockerServiceSpec {
  const ports = changePorts(spec.EndpointSpec?.Ports, flags['publish-add'].flatMap(parsePublish), flags['publish-rm'].flatMap(parsePublish));
  return present<DockerServiceSpec>({
    ...spec,
    Labels: changeRecord(spec.Labels, parsePairs('label-add', flags['label-add']), flags['label-rm']),
    TaskTemplate: changeTemplate(spec.TaskTemplate, flags),
    Mode: changeMode(spec, flags.replicas),
    UpdateConfig: orNothing({ ...spec.UpdateConfig, ...updateConfig(flags, 'update') }),
    RollbackConfig: orNothing({ ...spec.RollbackConfig, ...updateConfig(flags, 'rollback') }),
    EndpointSpec: ports === undefined ? spec.EndpointSpec : { ...spec.EndpointSpec, Ports: ports },
  });
}
