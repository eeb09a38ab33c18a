import { readFile, statfs } from 'node:fs/promises';
import { arch } from 'node:process';
import { parseCapabilityMask, type Capability } from './capabilities.ts';

/** What this daemon may give to containers. */
export type HostFacts = {
  /** As in OCI images: `amd64`, `arm64`. */
  readonly arch: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** Own hard limits by the name of /proc/PID/limits; missing is unlimited. */
  readonly hardLimits: ReadonlyMap<string, bigint>;
  /** Own score: the lowest that containers may have without CAP_SYS_RESOURCE. */
  readonly oomScoreAdj: number;
  /** Which version holds the controllers; on 1 a version 2 tree without them may be mounted beside. */
  readonly cgroupVersion: 1 | 2;
};

const CGROUP2_MAGIC = 0x63677270;
const ociArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386', riscv64: 'riscv64' };

/** Reads the facts of this process and host; they do not change while it runs. */
export async function readHostFacts(): Promise<HostFacts> {
  const [status, limits, score, cgroups] = await Promise.all([
    readFile('/proc/self/status', 'utf8'), readFile('/proc/self/limits', 'utf8'), readFile('/proc/self/oom_score_adj', 'utf8'), statfs('/sys/fs/cgroup'),
  ]);
  return {
    arch: ociArchitectures[arch] ?? arch,
    capabilities: parseCapabilityMask(/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'),
    hardLimits: parseHardLimits(limits),
    oomScoreAdj: Number(score),
    cgroupVersion: cgroups.type === CGROUP2_MAGIC ? 2 : 1,
  };
}

/** Lines are `Max open files   SOFT   HARD   units`. */
function parseHardLimits(text: string): Map<string, bigint> {
  const limits = new Map<string, bigint>();
  for (const line of text.split('\n')) {
    const match = /^(Max .*?) {2,}(?:\d+|unlimited) +(\d+)/.exec(line);
    if (match?.[1] && match[2]) limits.set(match[1], BigInt(match[2]));
  }
  return limits;
}
