import type { Cause } from './explanation.ts';
import type { NodeEntry } from './node-table.ts';
import type { Requirements } from './requirements.ts';

const cpuCause: Cause = { kind: 'cpu', text: 'insufficient CPU', nodes: 1 };
const memoryCause: Cause = { kind: 'memory', text: 'insufficient memory', nodes: 1 };
const maxReplicasCause: Cause = { kind: 'max-replicas', text: 'max replicas per node reached', nodes: 1 };

/** What the node lacks of the reservations. A task that reserves nothing fits on an overcommitted node too. */
export function resourceCause(entry: NodeEntry, { nanoCpus, memoryBytes }: Requirements): Cause | undefined {
  if (nanoCpus > 0 && nanoCpus > entry.nanoCpus - entry.usedNanoCpus) return cpuCause;
  return memoryBytes > 0 && memoryBytes > entry.memoryBytes - entry.usedMemoryBytes ? memoryCause : undefined;
}

/** Why a node that meets the rules can take no task because of those it has. `serviceCount` is its number of tasks of the service. */
export function occupancyCause(entry: NodeEntry, { hostPorts, maxPerNode }: Requirements, serviceCount: number): Cause | undefined {
  for (const { name, inUse } of hostPorts) if (entry.ports.has(name)) return inUse;
  return serviceCount >= maxPerNode ? maxReplicasCause : undefined;
}
