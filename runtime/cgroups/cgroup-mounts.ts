import { readFile } from 'node:fs/promises';

/** Where cgroup hierarchies are mounted. */
export type CgroupMounts = {
  /** Version 1 hierarchies by controller (`memory`, `cpu`, `name=systemd`); empty on a host with version 2 alone. */
  readonly controllers: ReadonlyMap<string, string>;
  /** Version 2, with or without controllers. */
  readonly unified: string | undefined;
};

/** Reads the mounts of this process. */
export async function findCgroupMounts(): Promise<CgroupMounts> {
  return parseCgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** The cgroup mounts of a text as in /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function parseCgroupMounts(mountInfo: string): CgroupMounts {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const { type, path, options } of mountInfo.split('\n').map(parseMount)) {
    if (type === 'cgroup2') unified ??= path;
    for (const option of type === 'cgroup' ? options : []) {
      if (option !== 'rw' && option !== 'ro' && !controllers.has(option)) controllers.set(option, path);
    }
  }
  return { controllers, unified };
}

function parseMount(line: string): { type: string; path: string; options: string[] } {
  const [left = '', right = ''] = line.split(' - ');
  const [type = '', , options = ''] = right.split(' ');
  return { type, path: unescapePath(left.split(' ')[4] ?? ''), options: options.split(',') };
}

const unescapePath = (path: string): string => path.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
