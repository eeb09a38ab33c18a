import { OrchError } from '../model/errors.ts';
import { addressOf, type AttachmentRecord } from './attachment-record.ts';
import { containerRange, formatAddress, formatSubnet, parseAddress, type Subnet } from './ipv4.ts';

/** How long a freed address rests: what remembers it elsewhere (neighbour entries, connections, name answers) should be gone by then. */
export const ADDRESS_REST_MS = 60_000;

/** Lowest free address of the subnet; one freed less than a minute ago only when there is no other, oldest first. Throws ORCH_CONFLICT when all are in use. */
export function planAddress(subnet: Subnet, records: Iterable<AttachmentRecord>, nowMs: number): number {
  const used = new Set<number>();
  const resting = new Map<number, number>();
  for (const record of records) {
    const address = parseAddress(addressOf(record)?.split('/')[0] ?? '');
    if (address === undefined) continue;
    if (record.state !== 'released') used.add(address);
    else if (nowMs - record.releasedAtMs < ADDRESS_REST_MS) resting.set(address, record.releasedAtMs);
  }
  const { first, last } = containerRange(subnet);
  for (let address = first; address <= last; address += 1) {
    if (!used.has(address) && !resting.has(address)) return address;
  }
  const [oldest] = [...resting].filter(([address]) => address >= first && address <= last && !used.has(address)).sort((a, b) => a[1] - b[1]);
  if (oldest) return oldest[0];
  throw new OrchError('ORCH_CONFLICT', `No free address in ${formatSubnet(subnet)} of this node (${formatAddress(first)} to ${formatAddress(last)} are all taken)`, {
    hint: 'Run fewer containers on this node, or give the cluster a larger bridge pool',
  });
}
