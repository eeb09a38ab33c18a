import { availableParallelism, hostname, totalmem } from 'node:os';
import { OrchError } from '../model/errors.ts';
import type { Labels } from '../model/meta.ts';
import type { NodeDescription } from '../model/node.ts';

export type DescriptionOptions = {
  readonly engineVersion: string;
  readonly engineLabels: Labels;
  /** Declared capacity, for machines that several nodes share; what the machine has when missing. */
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
};

/** Node's architecture names that differ from those of OCI images. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm: 'arm', arm64: 'arm64', ia32: '386', ppc64: 'ppc64le', riscv64: 'riscv64', s390x: 's390x' };

/** What this node is and has, read now. Throws ORCH_INVALID for a declared capacity that is none. */
export function describeNode(options: DescriptionOptions): NodeDescription {
  return {
    hostname: hostname(),
    platform: { os: 'linux', arch: architectures[process.arch] ?? process.arch },
    resources: {
      nanoCpus: capacity('CPUs', options.nanoCpus) ?? availableParallelism() * 1_000_000_000,
      memoryBytes: capacity('memory', options.memoryBytes) ?? totalmem(),
    },
    engineVersion: options.engineVersion,
    engineLabels: options.engineLabels,
  };
}

function capacity(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
  throw new OrchError('ORCH_INVALID', `The node's declared ${name} must be more than nothing, not ${value}`);
}
