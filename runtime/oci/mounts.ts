import { posix } from 'node:path';
import { OrchError } from '../../model/errors.ts';
import type { Mount } from '../../model/service.ts';
import type { OciMount } from './oci-spec.ts';

/** Host paths of the files that orch writes for a container. */
export type NameFiles = { readonly hosts: string; readonly hostname: string; readonly resolvConf: string };

/** A mount whose source is a path of the host; empty for tmpfs. */
export type ResolvedMount = Mount & { readonly hostPath: string };

const systemMounts: readonly OciMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
  { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
];

/** Under these the kernel's own files lie; nothing may be put over them. */
const untouchable = ['/proc', '/sys', '/dev/pts', '/dev/mqueue'];

/** All mounts of a container, parents before children; a mount of the user replaces orch's own at the same place. Throws ORCH_INVALID naming a wrong target. */
export function buildMounts(mounts: readonly ResolvedMount[], files: NameFiles): OciMount[] {
  const byTarget = new Map<string, OciMount>();
  for (const mount of mounts) {
    const target = checkTarget(mount.target);
    if (byTarget.has(target)) throw new OrchError('ORCH_INVALID', `Two mounts have the target ${target}`);
    byTarget.set(target, userMount(mount, target));
  }
  const own = [...systemMounts, fileMount('/etc/resolv.conf', files.resolvConf), fileMount('/etc/hostname', files.hostname), fileMount('/etc/hosts', files.hosts)];
  const kept = own.filter(({ destination }) => !byTarget.has(destination));
  return [...kept, ...[...byTarget.values()].sort((a, b) => depth(a.destination) - depth(b.destination))];
}

const depth = (path: string): number => path.split('/').length;

function checkTarget(target: string): string {
  const path = posix.normalize(target).replace(/(?<=.)\/$/, '');
  if (!path.startsWith('/') || path === '/') throw new OrchError('ORCH_INVALID', `"${target}" is not a place to mount at: write an absolute path other than /`);
  if (untouchable.some((system) => path === system || path.startsWith(`${system}/`))) {
    throw new OrchError('ORCH_INVALID', `Nothing can be mounted at ${path}: the kernel's own files are there`);
  }
  return path;
}

const fileMount = (destination: string, source: string): OciMount => ({ destination, type: 'bind', source, options: ['bind', 'rprivate', 'rw'] });

function userMount(mount: ResolvedMount, destination: string): OciMount {
  const access = mount.readOnly ? 'ro' : 'rw';
  if (mount.type !== 'tmpfs') {
    return { destination, type: 'bind', source: mount.hostPath, options: ['rbind', mount.propagation ?? 'rprivate', access] };
  }
  const { sizeBytes, mode } = mount.tmpfs ?? {};
  const size = sizeBytes ? [`size=${sizeBytes}`] : [];
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec', access, ...size, `mode=${(mode ?? 0o1777).toString(8)}`] };
}
