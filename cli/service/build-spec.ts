import type { Flags } from '../command.ts';
import type { DockerContainerSpec, DockerServiceSpec, DockerUpdateConfig } from './docker-spec.ts';
import { parseHost, parseMount, parsePairs, parsePlacementPreference, parsePublish, parseUlimit, splitShellWords } from './parse-values.ts';
import type { listSpecFlags, scalarSpecFlags } from './spec-flags.ts';

const NS_PER_MS = 1_000_000;

export type ScalarFlags = Flags<typeof scalarSpecFlags>;
export type ListFlags = Flags<typeof listSpecFlags>;

/** Drops what is undefined, so that missing flags stay missing fields. */
export function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only undefined fields are left out, and those are optional in T
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** The object, or undefined when it has no fields. */
export const orNothing = <T extends object>(value: T): T | undefined => Object.keys(value).length === 0 ? undefined : value;
const listOrNothing = <T>(list: readonly T[]): T[] | undefined => list.length === 0 ? undefined : [...list];
export const nanoseconds = (durationMs: number | undefined): number | undefined => durationMs === undefined ? undefined : Math.round(durationMs * NS_PER_MS);

/** Resources, restart policy and placement limits that scalar flags ask for; absent flags leave fields out. */
export function scalarTaskFields(flags: ScalarFlags): Pick<DockerServiceSpec['TaskTemplate'], 'Resources' | 'RestartPolicy'> & { MaxReplicas?: number } {
  const limits = orNothing(present<{ NanoCPUs?: number; MemoryBytes?: number; Pids?: number }>({ NanoCPUs: flags['limit-cpu'], MemoryBytes: flags['limit-memory'], Pids: flags['limit-pids'] }));
  const reservations = orNothing(present<{ NanoCPUs?: number; MemoryBytes?: number }>({ NanoCPUs: flags['reserve-cpu'], MemoryBytes: flags['reserve-memory'] }));
  return present({
    Resources: orNothing(present<{ Limits?: object; Reservations?: object }>({ Limits: limits, Reservations: reservations })),
    RestartPolicy: orNothing(present({
      Condition: flags['restart-condition'], Delay: nanoseconds(flags['restart-delay']), MaxAttempts: flags['restart-max-attempts'], Window: nanoseconds(flags['restart-window']),
    })),
    MaxReplicas: flags['replicas-max-per-node'],
  });
}

/** Container fields that scalar flags ask for; flags that were not given leave fields out. */
export function scalarContainerFields(flags: ScalarFlags): Partial<DockerContainerSpec> {
  return present<Partial<DockerContainerSpec>>({
    Command: flags.entrypoint === undefined ? undefined : splitShellWords(flags.entrypoint),
    Hostname: flags.hostname, User: flags.user, Dir: flags.workdir, ReadOnly: flags['read-only'], TTY: flags.tty,
    StopSignal: flags['stop-signal'], StopGracePeriod: nanoseconds(flags['stop-grace-period']), OomScoreAdj: flags['oom-score-adj'],
    Healthcheck: flags['no-healthcheck'] ? { Test: ['NONE'] } : undefined,
  });
}

/** `--update-*` or `--rollback-*` as Docker's UpdateConfig; undefined when none was given. */
export function updateConfig(flags: ScalarFlags, kind: 'update' | 'rollback'): DockerUpdateConfig | undefined {
  return orNothing(present<DockerUpdateConfig>({
    Parallelism: flags[`${kind}-parallelism`], Delay: nanoseconds(flags[`${kind}-delay`]), Monitor: nanoseconds(flags[`${kind}-monitor`]),
    MaxFailureRatio: flags[`${kind}-max-failure-ratio`], FailureAction: flags[`${kind}-failure-action`], Order: flags[`${kind}-order`],
  }));
}

/** `NAME` takes the value of the user's shell and is left out when it has none there, as in Docker. */
export function resolveEnvironment(list: readonly string[], lookup: (name: string) => string | undefined): string[] {
  return list.flatMap((text) => {
    if (text.includes('=')) return [text];
    const value = lookup(text);
    return value === undefined ? [] : [`${text}=${value}`];
  });
}

function listContainerFields(flags: ListFlags, env: readonly string[]): Partial<DockerContainerSpec> {
  return present<Partial<DockerContainerSpec>>({
    Env: listOrNothing(env), Labels: orNothing(parsePairs('container-label', flags['container-label'])), Groups: listOrNothing(flags.group),
    Mounts: listOrNothing(flags.mount.map(parseMount)), Hosts: listOrNothing(flags.host.map(parseHost)),
    DNSConfig: orNothing(present({ Nameservers: listOrNothing(flags.dns), Search: listOrNothing(flags['dns-search']), Options: listOrNothing(flags['dns-option']) })),
    CapabilityAdd: listOrNothing(flags['cap-add']), CapabilityDrop: listOrNothing(flags['cap-drop']),
    Sysctls: orNothing(parsePairs('sysctl', flags.sysctl)), Ulimits: listOrNothing(flags.ulimit.map(parseUlimit)),
  });
}

export type CreateInput = {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  /** With env files read and shell values filled in. */
  readonly env: readonly string[];
  readonly mode: DockerServiceSpec['Mode'];
};

/** Docker's ServiceSpec for `service create`; pure. */
export function buildServiceSpec(input: CreateInput, flags: ScalarFlags & ListFlags): DockerServiceSpec {
  const { MaxReplicas, ...task } = scalarTaskFields(flags);
  const placement = present<{ Constraints?: string[]; Preferences?: ReturnType<typeof parsePlacementPreference>[]; MaxReplicas?: number }>({
    Constraints: listOrNothing(flags.constraint), Preferences: listOrNothing(flags['placement-pref'].map(parsePlacementPreference)), MaxReplicas,
  });
  const ports = flags.publish.flatMap(parsePublish);
  return present<DockerServiceSpec>({
    Name: input.name, Labels: orNothing(parsePairs('label', flags.label)), Mode: input.mode,
    TaskTemplate: present<DockerServiceSpec['TaskTemplate']>({
      ContainerSpec: present<DockerContainerSpec>({ Image: input.image, Args: listOrNothing(input.args), ...scalarContainerFields(flags), ...listContainerFields(flags, input.env) }),
      ...task, Placement: orNothing(placement), Networks: listOrNothing(flags.network.map((target) => ({ Target: target }))),
    }),
    UpdateConfig: updateConfig(flags, 'update'), RollbackConfig: updateConfig(flags, 'rollback'),
    EndpointSpec: ports.length === 0 ? undefined : { Ports: ports },
  });
}
