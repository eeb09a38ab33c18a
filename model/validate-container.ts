import { parseCapability } from './capabilities.ts';
import { parseImageReference } from './image-reference.ts';
import { isIp } from './ip.ts';
import { nameProblem } from './names.ts';
import type { Problem } from './problems.ts';
import { durationMs, eachItem, labelProblems, oneOf, parseProblem, problemAt, repeated, requireThat, wholeNumber } from './problems.ts';
import type { ContainerSpec, HealthCheck, Mount, Ulimit } from './service.ts';
import { parseSignal } from './signals.ts';

/** Limits of `setrlimit` by the names that Docker uses. */
const ulimitNames = [
  'as', 'core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack',
] as const;
const mountTypes = ['bind', 'tmpfs', 'volume'] as const;
const propagations = ['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'] as const;
const hostnamePattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
/** Only settings that the kernel keeps per namespace; others would change the whole node. */
const sysctlPattern = /^(net\.[\w./-]+|kernel\.(shm\w+|msg\w+|sem)|fs\.mqueue\.\w+)$/;
const MAX_HOSTNAME_LENGTH = 63;
const MAX_TMPFS_MODE = 0o7777;

/** Everything wrong with a container spec, each at its place under `path`. */
export function validateContainer(path: string, spec: ContainerSpec): Problem[] {
  return [
    ...parseProblem(`${path}.image`, () => parseImageReference(spec.image)),
    ...validateProcess(path, spec),
    ...labelProblems(`${path}.labels`, spec.labels),
    ...requireThat(`${path}.hostname`, spec.hostname === undefined || isTemplate(spec.hostname) || isHostname(spec.hostname), `must be a host name of at most ${MAX_HOSTNAME_LENGTH} characters`),
    ...validateMounts(`${path}.mounts`, spec.mounts),
    ...validateNaming(path, spec),
    ...validatePrivileges(path, spec),
    ...validateHealthCheck(`${path}.healthCheck`, spec.healthCheck),
  ];
}

function validateProcess(path: string, spec: ContainerSpec): Problem[] {
  return [
    ...eachItem(`${path}.env`, spec.env, (at, entry) => requireThat(at, /^[^=\0]+(=[^\0]*)?$/s.test(entry), `must be KEY=VALUE or KEY, not "${entry}"`)),
    ...eachItem(`${path}.command`, spec.command, withoutNul),
    ...eachItem(`${path}.args`, spec.args, withoutNul),
    ...requireThat(`${path}.dir`, !spec.dir || spec.dir.startsWith('/'), `must be an absolute path, not "${spec.dir}"`),
    ...requireThat(`${path}.user`, !spec.user || /^[^\s:]+(:[^\s:]+)?$/.test(spec.user), `must be USER, UID, USER:GROUP or UID:GID, not "${spec.user}"`),
    ...eachItem(`${path}.groups`, spec.groups, (at, group) => requireThat(at, /^[^\s:]+$/.test(group), `must be the name or number of a group, not "${group}"`)),
    ...requireThat(`${path}.stopSignal`, !spec.stopSignal || parseSignal(spec.stopSignal) !== undefined, `must be a signal such as SIGTERM, not "${spec.stopSignal}"`),
    ...durationMs(`${path}.stopGraceMs`, spec.stopGraceMs),
  ];
}

const withoutNul = (path: string, text: string): Problem[] => requireThat(path, !text.includes('\0'), 'must not have a NUL character');
const isTemplate = (text: string): boolean => text.includes('{{');
const isHostname = (text: string): boolean => text.length <= MAX_HOSTNAME_LENGTH && hostnamePattern.test(text);

/** `/a/` and `/a//./` are the same place in a container. */
const normalPath = (path: string): string => `/${path.split('/').filter((part) => part !== '' && part !== '.').join('/')}`;

function validateMounts(path: string, mounts: readonly Mount[] | undefined): Problem[] {
  return [
    ...eachItem(path, mounts, validateMount),
    ...repeated(path, mounts, (mount) => ({ key: mount.target.startsWith('/') ? normalPath(mount.target) : undefined, message: `another mount has the target ${normalPath(mount.target)} already` })),
  ];
}

function validateMount(path: string, mount: Mount): Problem[] {
  const isRoot = mount.target.startsWith('/') && normalPath(mount.target) === '/';
  return [
    ...oneOf(`${path}.type`, mount.type, mountTypes),
    ...requireThat(`${path}.target`, mount.target.startsWith('/'), `must be an absolute path, not "${mount.target}"`),
    ...requireThat(`${path}.target`, !isRoot && !mount.target.split('/').includes('..'), 'must not be / and must not have .. in it'),
    ...problemAt(`${path}.source`, mountSourceProblem(mount)),
    ...requireThat(`${path}.propagation`, mount.propagation === undefined || mount.type === 'bind', 'is for mounts of type bind only'),
    ...oneOf(`${path}.propagation`, mount.propagation, propagations),
    ...requireThat(`${path}.tmpfs`, mount.tmpfs === undefined || mount.type === 'tmpfs', 'is for mounts of type tmpfs only'),
    ...wholeNumber(`${path}.tmpfs.sizeBytes`, mount.tmpfs?.sizeBytes, { min: 0 }),
    ...wholeNumber(`${path}.tmpfs.mode`, mount.tmpfs?.mode, { min: 0, max: MAX_TMPFS_MODE }),
  ];
}

function mountSourceProblem({ type, source }: Mount): string | undefined {
  if (type === 'tmpfs') return source === '' ? undefined : 'must be empty for a tmpfs';
  if (isTemplate(source)) return undefined;
  if (type === 'bind') return source.startsWith('/') ? undefined : `must be an absolute path on the node, not "${source}"`;
  return source === '' ? undefined : nameProblem('volume', source);
}

function validateNaming(path: string, spec: ContainerSpec): Problem[] {
  return [
    ...eachItem(`${path}.hosts`, spec.hosts, (at, line) => {
      const [address = '', ...names] = line.trim().split(/\s+/);
      return requireThat(at, isIp(address) && names.length > 0, `must be ADDRESS NAME, not "${line}"`);
    }),
    ...eachItem(`${path}.dns.nameservers`, spec.dns?.nameservers, (at, address) => requireThat(at, isIp(address), `must be an IP address, not "${address}"`)),
    ...eachItem(`${path}.dns.search`, spec.dns?.search, (at, domain) => requireThat(at, domain === '.' || hostnamePattern.test(domain.replace(/\.$/, '')), `must be a domain name, not "${domain}"`)),
    ...eachItem(`${path}.dns.options`, spec.dns?.options, (at, option) => requireThat(at, /^\S+$/.test(option), `must be one word, not "${option}"`)),
  ];
}

function validatePrivileges(path: string, spec: ContainerSpec): Problem[] {
  const capability = (at: string, name: string): Problem[] => requireThat(at, parseCapability(name) !== undefined, `must be a capability such as CAP_NET_ADMIN, or ALL, not "${name}"`);
  return [
    ...eachItem(`${path}.capabilityAdd`, spec.capabilityAdd, capability),
    ...eachItem(`${path}.capabilityDrop`, spec.capabilityDrop, capability),
    ...Object.keys(spec.sysctls ?? {}).flatMap((name) => requireThat(`${path}.sysctls["${name}"]`, sysctlPattern.test(name), 'would change the whole node; only net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* belong to one container')),
    ...eachItem(`${path}.ulimits`, spec.ulimits, validateUlimit),
    ...repeated(`${path}.ulimits`, spec.ulimits, (ulimit) => ({ key: ulimit.name, message: `another limit is for ${ulimit.name} already` })),
    ...wholeNumber(`${path}.oomScoreAdj`, spec.oomScoreAdj, { min: -1000, max: 1000 }),
  ];
}

/** -1 is without limit. */
function validateUlimit(path: string, { name, soft, hard }: Ulimit): Problem[] {
  const isAbove = hard !== -1 && (soft === -1 || soft > hard);
  return [
    ...oneOf(`${path}.name`, name, ulimitNames),
    ...wholeNumber(`${path}.soft`, soft, { min: -1 }),
    ...wholeNumber(`${path}.hard`, hard, { min: -1 }),
    ...requireThat(`${path}.soft`, !isAbove, `must not be above the hard limit of ${hard}`),
  ];
}

function validateHealthCheck(path: string, check: HealthCheck | undefined): Problem[] {
  if (check === undefined) return [];
  return [
    ...problemAt(`${path}.test`, healthTestProblem(check.test)),
    ...durationMs(`${path}.intervalMs`, check.intervalMs),
    ...durationMs(`${path}.timeoutMs`, check.timeoutMs),
    ...durationMs(`${path}.startPeriodMs`, check.startPeriodMs),
    ...durationMs(`${path}.startIntervalMs`, check.startIntervalMs),
    ...wholeNumber(`${path}.retries`, check.retries, { min: 0 }),
  ];
}

function healthTestProblem([kind, ...rest]: readonly string[]): string | undefined {
  switch (kind) {
    case undefined: return undefined;
    case 'NONE': return rest.length === 0 ? undefined : 'NONE takes no arguments';
    case 'CMD': return rest.length > 0 ? undefined : 'CMD needs a program';
    case 'CMD-SHELL': return rest.length === 1 ? undefined : 'CMD-SHELL needs exactly one line for the shell';
    default: return `must begin with NONE, CMD or CMD-SHELL, not "${kind}"`;
  }
}
