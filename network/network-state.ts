import type { ContainerId } from '../model/meta.ts';
import { isLive, type AttachmentRecord, type LiveRecord } from './attachment-record.ts';
import { formatSubnet, parseAddress, type Subnet } from './ipv4.ts';

/** What the node network knows in memory; the same as in its records on disk. */
export class NetworkState {
  readonly records = new Map<ContainerId, AttachmentRecord>();
  /** Where new containers get their addresses; undefined until configured. */
  subnet: Subnet | undefined;

  live(): LiveRecord[] { return [...this.records.values()].filter(isLive); }

  find(containerId: ContainerId): LiveRecord | undefined {
    const record = this.records.get(containerId);
    return record && isLive(record) ? record : undefined;
  }

  /** The current subnet first, then earlier ones in which there are still containers. */
  subnets(): Subnet[] {
    const subnets = new Map<string, Subnet>();
    if (this.subnet) subnets.set(formatSubnet(this.subnet), this.subnet);
    for (const { attachment } of this.live()) {
      const [address = '', length = ''] = attachment.addresses[0]?.split('/') ?? [];
      const value = parseAddress(address);
      if (value === undefined) continue;
      const prefixLength = Number(length);
      const subnet = { base: value - value % 2 ** (32 - prefixLength), prefixLength };
      subnets.set(formatSubnet(subnet), subnet);
    }
    return [...subnets.values()];
  }
}
