import { OrchError } from '../../model/errors.ts';
import type { Ulimit } from '../../model/service.ts';
import type { HostFacts } from './host-facts.ts';
import type { OciRlimit } from './oci-spec.ts';

/** Docker's names of limits, and the lines of /proc/PID/limits that show them. */
const limitLines: Readonly<Record<string, string>> = {
  as: 'Max address space', core: 'Max core file size', cpu: 'Max cpu time', data: 'Max data size', fsize: 'Max file size', locks: 'Max file locks',
  memlock: 'Max locked memory', msgqueue: 'Max msgqueue size', nice: 'Max nice priority', nofile: 'Max open files', nproc: 'Max processes',
  rss: 'Max resident set', rtprio: 'Max realtime priority', rttime: 'Max realtime timeout', sigpending: 'Max pending signals', stack: 'Max stack size',
};

const UNLIMITED = 2n ** 64n - 1n;
const DEFAULT_OPEN_FILES = 1_048_576;

/**
 * Resource limits of a container: those asked for (-1 is unlimited), and a number of open files in any case. Without
 * CAP_SYS_RESOURCE they are cut to what this process may set. Throws ORCH_INVALID for unknown names and a soft above a hard limit.
 */
export function resolveLimits(ulimits: readonly Ulimit[], host: HostFacts): OciRlimit[] {
  const asked = new Map<string, Ulimit>([['nofile', { name: 'nofile', soft: DEFAULT_OPEN_FILES, hard: DEFAULT_OPEN_FILES }]]);
  for (const ulimit of ulimits) asked.set(ulimit.name, ulimit);
  return [...asked.values()].map((ulimit) => resolveLimit(ulimit, host));
}

function resolveLimit(ulimit: Ulimit, host: HostFacts): OciRlimit {
  const line = limitLines[ulimit.name];
  if (line === undefined) throw new OrchError('ORCH_INVALID', `"${ulimit.name}" is not a resource limit`, { hint: `Limits are ${Object.keys(limitLines).join(', ')}` });
  const soft = limitValue(ulimit.soft);
  const hard = limitValue(ulimit.hard);
  if (soft > hard) throw new OrchError('ORCH_INVALID', `Limit ${ulimit.name}: the soft limit ${ulimit.soft} is above the hard limit ${ulimit.hard}`);
  const most = host.capabilities.has('CAP_SYS_RESOURCE') ? UNLIMITED : host.hardLimits.get(line) ?? UNLIMITED;
  return { type: `RLIMIT_${ulimit.name.toUpperCase()}`, soft: soft < most ? soft : most, hard: hard < most ? hard : most };
}

function limitValue(value: number): bigint {
  if (value === -1) return UNLIMITED;
  if (Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw new OrchError('ORCH_INVALID', `${value} is not a resource limit: write a whole number, or -1 for unlimited`);
}

/** The score to set: as asked, but no lower than this process may go. Throws ORCH_INVALID outside -1000..1000. */
export function resolveOomScoreAdj(asked: number, host: HostFacts): number {
  if (!Number.isInteger(asked) || asked < -1000 || asked > 1000) {
    throw new OrchError('ORCH_INVALID', `The OOM score adjustment ${asked} is not a whole number from -1000 to 1000`);
  }
  return host.capabilities.has('CAP_SYS_RESOURCE') ? asked : Math.max(asked, Math.min(host.oomScoreAdj, 0));
}
