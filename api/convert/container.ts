import type { Container, ContainerCreate, ContainerNetwork } from '../../model/container.ts';
import { assertNever } from '../../model/errors.ts';
import type { Image } from '../../model/image.ts';
import type { Mount } from '../../model/service.ts';
import { describeAge, describeDuration } from '../../model/units.ts';
import type { ContainerAttachment } from '../node-engine.ts';
import { dockerNetworks, dockerPortMap, dockerPorts } from './attachment.ts';
import { dockerHealthCheck } from './container-spec.ts';
import { dockerMount } from './mount.ts';
import { formatTime, formatTimeOrZero } from './time.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Docker's CPU quota counts in periods of this length, in µs. */
const CPU_PERIOD_US = 100_000;

/** Entry point and command as the container runs them; `image` is undefined when it has been removed. A new entry point drops the image's command, as in Docker. */
function commandLine({ command, args }: ContainerCreate, image: Image | undefined): { readonly entrypoint: readonly string[]; readonly cmd: readonly string[] } {
  return {
    entrypoint: command ?? image?.config.entrypoint ?? [],
    cmd: args ?? (command ? [] : image?.config.cmd ?? []),
  };
}

/** What belongs to a container besides itself: its image, undefined when that has been removed, and how it is on the network, undefined when it is not. */
export type ContainerSurroundings = { readonly image: Image | undefined; readonly attachment: ContainerAttachment | undefined };

/** Docker's ContainerSummary. */
export function dockerContainerSummary(container: Container, { image, attachment }: ContainerSurroundings, nowMs: number): object {
  const { create } = container;
  const { entrypoint, cmd } = commandLine(create, image);
  return {
    Id: container.id, Names: [`/${container.name}`], Image: create.image, ImageID: container.imageId,
    Command: [...entrypoint, ...cmd].join(' '), Created: Math.floor(container.createdAtMs / 1000),
    Ports: dockerPorts(attachment), Labels: { ...image?.config.labels, ...create.labels },
    State: container.state, Status: describeStatus(container, nowMs),
    HostConfig: { NetworkMode: networkMode(create.network) }, NetworkSettings: { Networks: dockerNetworks(attachment) },
    Mounts: create.mounts.map(dockerMountPoint),
  };
}

function describeStatus(container: Container, nowMs: number): string {
  switch (container.state) {
    case 'created': return 'Created';
    case 'running': return `Up ${describeDuration(Math.max(0, nowMs - container.startedAtMs))}`;
    case 'exited': return `Exited (${container.exitCode ?? 'unknown'}) ${describeAge(container.exitedAtMs, nowMs)}`;
    default: return assertNever(container.state);
  }
}

/** Namespaces are made by orch's own network layer, which Docker's word for is its default. */
const networkMode = ({ mode }: ContainerNetwork): string => mode === 'namespace' ? 'default' : mode;

function dockerMountPoint(mount: Mount): object {
  return withoutUndefined({
    Type: mount.type, Name: mount.type === 'volume' ? mount.source : undefined, Source: mount.type === 'volume' ? '' : mount.source,
    Destination: mount.target, Driver: mount.type === 'volume' ? 'local' : undefined, Mode: '', RW: !mount.readOnly, Propagation: mount.propagation ?? (mount.type === 'bind' ? 'rprivate' : ''),
  });
}

/** Docker's ContainerInspectResponse. */
export function dockerContainer(container: Container, { image, attachment }: ContainerSurroundings): object {
  const { create } = container;
  const { entrypoint, cmd } = commandLine(create, image);
  const [path = '', ...args] = [...entrypoint, ...cmd];
  return {
    Id: container.id, Created: formatTime(container.createdAtMs), Path: path, Args: args,
    State: dockerState(container), Image: container.imageId, Name: `/${container.name}`,
    RestartCount: 0, Driver: 'overlay2', Platform: 'linux', MountLabel: '', ProcessLabel: '', AppArmorProfile: '', ExecIDs: null,
    HostConfig: dockerHostConfig(create), Mounts: create.mounts.map(dockerMountPoint), Config: dockerConfig(create, image),
    NetworkSettings: { Ports: dockerPortMap(attachment), Networks: dockerNetworks(attachment) },
  };
}

const dockerState = (container: Container): object => ({
  Status: container.state, Running: container.state === 'running', Paused: false, Restarting: false, OOMKilled: container.oomKilled, Dead: false,
  Pid: container.pid, ExitCode: container.exitCode ?? 0, Error: container.error ?? '',
  StartedAt: formatTimeOrZero(container.startedAtMs), FinishedAt: formatTimeOrZero(container.exitedAtMs),
});

function dockerHostConfig(create: ContainerCreate): object {
  const { limits, dns } = create;
  return withoutUndefined({
    NetworkMode: networkMode(create.network), RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, AutoRemove: false, LogConfig: { Type: 'json-file', Config: {} },
    Mounts: create.mounts.map(dockerMount), ReadonlyRootfs: create.readOnly, Privileged: false,
    CapAdd: create.capabilityAdd, CapDrop: create.capabilityDrop, GroupAdd: create.groups, ExtraHosts: create.hosts,
    Dns: dns.nameservers, DnsSearch: dns.search, DnsOptions: dns.options, Sysctls: create.sysctls, OomScoreAdj: create.oomScoreAdj,
    SecurityOpt: create.noNewPrivileges ? ['no-new-privileges'] : [],
    Ulimits: create.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    Memory: limits.memoryBytes ?? 0, NanoCpus: limits.nanoCpus ?? 0, PidsLimit: limits.pids || null,
    CpuPeriod: limits.nanoCpus === undefined ? 0 : CPU_PERIOD_US, CpuQuota: limits.nanoCpus === undefined ? 0 : Math.round(limits.nanoCpus / 1e9 * CPU_PERIOD_US),
  });
}

/** The container's variables, then those of the image that it does not replace. */
function mergeEnv(own: readonly string[], inherited: readonly string[]): string[] {
  const nameOf = (line: string): string => line.split('=', 1)[0] ?? '';
  const names = new Set(own.map(nameOf));
  return [...own, ...inherited.filter((line) => !names.has(nameOf(line)))];
}

const noConfig = { user: '', env: [], workingDir: '', labels: {}, stopSignal: '' };

function dockerConfig(create: ContainerCreate, image: Image | undefined): object {
  const { entrypoint, cmd } = commandLine(create, image);
  const config = image?.config ?? noConfig;
  return withoutUndefined({
    Hostname: create.hostname, Domainname: '', User: create.user ?? config.user, Tty: create.tty,
    AttachStdin: false, AttachStdout: false, AttachStderr: false, OpenStdin: false, StdinOnce: false,
    Env: mergeEnv(create.env, config.env), Cmd: cmd, Entrypoint: entrypoint, Image: create.image,
    WorkingDir: create.workingDir ?? config.workingDir, Labels: { ...config.labels, ...create.labels },
    Healthcheck: create.healthCheck && dockerHealthCheck(create.healthCheck),
    StopSignal: create.stopSignal ?? (config.stopSignal || undefined), StopTimeout: Math.ceil(create.stopGraceMs / 1000),
  });
}
