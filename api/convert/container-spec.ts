import type { ContainerSpec, HealthCheck, Ulimit } from '../../model/service.ts';
import { dockerMount, readMount } from './mount.ts';
import type { ObjectReader } from './object-reader.ts';
import { withoutUndefined } from './without-undefined.ts';

const NS_PER_MS = 1_000_000;
/** Docker's nanoseconds; undefined stays undefined. */
export const nanoseconds = <T extends number | undefined>(ms: T): number | Extract<T, undefined> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- T is number in the second case and undefined in the first
  (ms === undefined ? undefined : ms * NS_PER_MS) as number | Extract<T, undefined>;

/** Docker's ContainerSpec as the model has it. */
export function readContainerSpec(reader: ObjectReader): ContainerSpec {
  const container = withoutUndefined({
    image: reader.requiredText('Image'),
    command: reader.texts('Command'), args: reader.texts('Args'), env: reader.texts('Env'), labels: reader.textMap('Labels'),
    hostname: reader.text('Hostname'), dir: reader.text('Dir'), user: reader.text('User'), groups: reader.texts('Groups'),
    tty: reader.flag('TTY'), openStdin: reader.flag('OpenStdin'), readOnly: reader.flag('ReadOnly'),
    stopSignal: reader.text('StopSignal'), stopGraceMs: reader.durationMs('StopGracePeriod'),
    mounts: nonEmpty(reader.objects('Mounts').flatMap((mount) => readMount(mount) ?? [])),
    hosts: reader.texts('Hosts'), dns: readDns(reader),
    capabilityAdd: reader.texts('CapabilityAdd'), capabilityDrop: reader.texts('CapabilityDrop'),
    sysctls: reader.textMap('Sysctls'), ulimits: nonEmpty(reader.objects('Ulimits').map(readUlimit)),
    oomScoreAdj: reader.amount('OomScoreAdj', { min: -1000, max: 1000 }),
    healthCheck: readHealthCheck(reader), init: reader.tristate('Init'), noNewPrivileges: readPrivileges(reader),
  });
  const isolation = reader.oneOf('Isolation', ['default', 'process', 'hyperv']);
  if (isolation !== undefined && isolation !== 'default') reader.unsupported('Isolation', `"${isolation}" is of Windows only`);
  reader.end(['Secrets', 'Configs']);
  return container;
}

const nonEmpty = <T>(items: readonly T[]): readonly T[] | undefined => items.length === 0 ? undefined : items;

function readDns(reader: ObjectReader): ContainerSpec['dns'] {
  const config = reader.object('DNSConfig');
  const dns = withoutUndefined({ nameservers: config.texts('Nameservers'), search: config.texts('Search'), options: config.texts('Options') });
  config.end();
  return Object.keys(dns).length === 0 ? undefined : dns;
}

function readUlimit(reader: ObjectReader): Ulimit {
  const ulimit = { name: reader.requiredText('Name'), soft: reader.integer('Soft', { min: -1 }) ?? 0, hard: reader.integer('Hard', { min: -1 }) ?? 0 };
  reader.end();
  return ulimit;
}

function readHealthCheck(reader: ObjectReader): HealthCheck | undefined {
  const config = reader.object('Healthcheck');
  const check = withoutUndefined({
    test: config.texts('Test') ?? [],
    intervalMs: config.durationMs('Interval') || undefined, timeoutMs: config.durationMs('Timeout') || undefined,
    retries: config.amount('Retries'),
    startPeriodMs: config.durationMs('StartPeriod') || undefined, startIntervalMs: config.durationMs('StartInterval') || undefined,
  });
  config.end();
  return check.test.length === 0 && Object.keys(check).length === 1 ? undefined : check;
}

function readPrivileges(reader: ObjectReader): true | undefined {
  const privileges = reader.object('Privileges');
  const noNewPrivileges = privileges.flag('NoNewPrivileges');
  for (const key of ['Seccomp', 'AppArmor']) {
    const profile = privileges.object(key);
    const mode = profile.text('Mode') ?? 'default';
    if (mode !== 'default') profile.unsupported('Mode', `orch has only the default profile, not "${mode}"`);
    profile.end(['Profile']);
  }
  privileges.end(['CredentialSpec', 'SELinuxContext']);
  return noNewPrivileges;
}

/** Docker's ContainerSpec; `readContainerSpec` reads it back to the same. */
export function dockerContainerSpec(container: ContainerSpec): object {
  const { healthCheck, dns } = container;
  return withoutUndefined({
    Image: container.image,
    Command: container.command, Args: container.args, Env: container.env, Labels: container.labels,
    Hostname: container.hostname, Dir: container.dir, User: container.user, Groups: container.groups,
    TTY: container.tty, OpenStdin: container.openStdin, ReadOnly: container.readOnly,
    StopSignal: container.stopSignal, StopGracePeriod: nanoseconds(container.stopGraceMs),
    Mounts: container.mounts?.map(dockerMount), Hosts: container.hosts,
    DNSConfig: dns && withoutUndefined({ Nameservers: dns.nameservers, Search: dns.search, Options: dns.options }),
    CapabilityAdd: container.capabilityAdd, CapabilityDrop: container.capabilityDrop, Sysctls: container.sysctls,
    Ulimits: container.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    OomScoreAdj: container.oomScoreAdj, Init: container.init,
    // Docker's engine writes this name, its definition another.
    Healthcheck: healthCheck && dockerHealthCheck(healthCheck),
    Privileges: container.noNewPrivileges === undefined ? undefined : { NoNewPrivileges: container.noNewPrivileges },
    Isolation: 'default',
  });
}

/** Docker's HealthConfig. */
export function dockerHealthCheck(check: HealthCheck): object {
  return withoutUndefined({
    Test: check.test, Interval: nanoseconds(check.intervalMs), Timeout: nanoseconds(check.timeoutMs), Retries: check.retries,
    StartPeriod: nanoseconds(check.startPeriodMs), StartInterval: nanoseconds(check.startIntervalMs),
  });
}
