import type { ContainerCreate } from '../engine.ts';
import type { ImageConfig } from '../image-store.ts';
import { OrchError } from '../../model/errors.ts';
import type { ResourceLimits } from '../../model/resources.ts';
import { resolveCapabilities, type Capability } from './capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import { buildMounts, type NameFiles, type ResolvedMount } from './mounts.ts';
import type { OciLinux, OciProcess, OciResources, OciSpec } from './oci-spec.ts';
import { resolveLimits, resolveOomScoreAdj } from './process-limits.ts';
import { buildSeccomp } from './seccomp.ts';
import { resolveUser, type UserFiles } from './users.ts';

export type SpecInput = {
  readonly create: ContainerCreate;
  readonly image: ImageConfig;
  readonly host: HostFacts;
  /** Path below every cgroup hierarchy's root. */
  readonly cgroupsPath: string;
  /** Mounts of the request with their host paths. */
  readonly mounts: readonly ResolvedMount[];
  readonly nameFiles: NameFiles;
  readonly userFiles: UserFiles;
};

const OCI_VERSION = '1.0.2';
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const CPU_PERIOD_US = 100_000;
const MIN_CPU_QUOTA_US = 1000;
const NANO = 1_000_000_000;
/** Docker's least memory limit; below it the runtime itself does not fit. */
const MIN_MEMORY_BYTES = 6 * 1024 * 1024;

const maskedPaths: readonly string[] = [
  '/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/sched_debug', '/proc/scsi',
  '/proc/timer_list', '/proc/timer_stats', '/sys/devices/virtual/powercap', '/sys/firmware',
];
const readonlyPaths: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The OCI runtime configuration of a container. Pure. Throws ORCH_INVALID or ORCH_UNSUPPORTED naming what cannot be done. */
export function buildSpec(input: SpecInput): OciSpec {
  const { create, host } = input;
  const capabilities = resolveCapabilities(create.capabilityAdd, create.capabilityDrop, host.capabilities);
  return {
    ociVersion: OCI_VERSION,
    process: buildProcess(input, capabilities),
    root: { path: 'rootfs', readonly: create.readOnly },
    hostname: containerHostname(create),
    mounts: buildMounts(input.mounts, input.nameFiles),
    linux: buildLinux(input, capabilities),
  };
}

/** The host name inside the container; Docker's default is the beginning of its id. */
export const containerHostname = (create: ContainerCreate): string => create.hostname || create.id.slice(0, 12);

function buildProcess(input: SpecInput, capabilities: readonly Capability[]): OciProcess {
  const { create, image, host } = input;
  const { home, ...user } = resolveUser(create.user ?? image.user, create.groups, input.userFiles);
  const cwd = create.workingDir || image.workingDir || '/';
  if (!cwd.startsWith('/')) throw new OrchError('ORCH_INVALID', `The working directory "${cwd}" is not an absolute path`);
  // Another user than root gets no capability to use, only the right to gain those of setuid programs.
  const held = user.uid === 0 ? capabilities : [];
  return {
    terminal: create.tty,
    user,
    args: buildArgs(create, image),
    env: buildEnv(create, image, home),
    cwd,
    capabilities: { bounding: capabilities, effective: held, permitted: held },
    rlimits: resolveLimits(create.ulimits, host),
    noNewPrivileges: create.noNewPrivileges,
    oomScoreAdj: resolveOomScoreAdj(create.oomScoreAdj, host),
  };
}

/** As Docker: a command of the request replaces the image's entrypoint and with it the image's arguments. */
function buildArgs(create: ContainerCreate, image: ImageConfig): string[] {
  const entrypoint = create.command ?? image.entrypoint;
  const args = create.args ?? (create.command ? [] : image.cmd);
  const all = [...entrypoint, ...args];
  if (all.length === 0) throw new OrchError('ORCH_INVALID', `Container "${create.name}" has no command: the image names none`, { hint: 'Give the command to run' });
  return all;
}

/** Later ones win; a bare NAME takes the variable away. */
function buildEnv(create: ContainerCreate, image: ImageConfig, home: string): string[] {
  const variables = new Map<string, string>();
  const defaults = [DEFAULT_PATH, `HOSTNAME=${containerHostname(create)}`, ...(create.tty ? ['TERM=xterm'] : []), `HOME=${home}`];
  for (const text of [...defaults, ...image.env, ...create.env]) {
    const equals = text.indexOf('=');
    if (equals < 0) variables.delete(text);
    else variables.set(text.slice(0, equals), text);
  }
  return [...variables.values()];
}

function buildLinux(input: SpecInput, capabilities: readonly Capability[]): OciLinux {
  const { create, host } = input;
  const seccomp = buildSeccomp(host.arch, capabilities);
  return {
    cgroupsPath: input.cgroupsPath,
    namespaces: [...['pid', 'mount', 'uts', 'ipc', 'cgroup'].map((type) => ({ type })), ...networkNamespace(create)],
    resources: buildResources(create.limits, host),
    sysctl: buildSysctls(create),
    ...(seccomp ? { seccomp } : {}),
    maskedPaths,
    readonlyPaths,
  };
}

function networkNamespace({ network }: ContainerCreate): { type: string; path?: string }[] {
  if (network.mode === 'host') return [];
  return network.mode === 'none' ? [{ type: 'network' }] : [{ type: 'network', path: network.path }];
}

function buildResources(limits: ResourceLimits, host: HostFacts): OciResources {
  const { nanoCpus = 0, memoryBytes = 0, pids = 0 } = limits;
  if (memoryBytes > 0 && memoryBytes < MIN_MEMORY_BYTES) {
    throw new OrchError('ORCH_INVALID', `A memory limit of ${memoryBytes} bytes is too small: the least is 6 MiB`);
  }
  const quota = Math.max(MIN_CPU_QUOTA_US, Math.round(nanoCpus * CPU_PERIOD_US / NANO));
  return {
    devices: [{ allow: false, access: 'rwm' }],
    ...(memoryBytes > 0 ? { memory: { limit: memoryBytes } } : {}),
    // A container of which one process was killed is of no use: on version 2 all of it goes.
    ...(memoryBytes > 0 && host.cgroupVersion === 2 ? { unified: { 'memory.oom.group': '1' } } : {}),
    ...(nanoCpus > 0 ? { cpu: { quota, period: CPU_PERIOD_US } } : {}),
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
  };
}

const namespacedSysctl = /^(?:net\..+|fs\.mqueue\..+|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))$/;

/** Settings of the container's own namespaces. Low ports and ping need no capability there, as Docker sets it. */
function buildSysctls(create: ContainerCreate): Record<string, string> {
  const ownNetwork = create.network.mode !== 'host';
  for (const name of Object.keys(create.sysctls)) {
    if (!namespacedSysctl.test(name)) throw new OrchError('ORCH_INVALID', `Sysctl ${name} is not a setting of the container but of the whole node`);
    if (name.startsWith('net.') && !ownNetwork) throw new OrchError('ORCH_INVALID', `Sysctl ${name} cannot be set in a container that uses the node's network`);
  }
  const defaults = ownNetwork ? { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' } : {};
  return { ...defaults, ...create.sysctls };
}
