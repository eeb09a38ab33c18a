import { OrchError } from '../model/errors.ts';
import type { AttachmentRecord, LiveRecord } from './attachment-record.ts';
import { formatAddress, gatewayOf, macOf, type Subnet } from './ipv4.ts';
import type { AttachRequest } from './node-network.ts';
import { planAddress } from './plan-addresses.ts';
import { planPorts, type ListeningPorts } from './plan-ports.ts';

/** All that a new attachment depends on. */
export type AttachContext = {
  readonly subnet: Subnet | undefined;
  readonly records: ReadonlyMap<string, AttachmentRecord>;
  readonly listening: ListeningPorts;
  readonly nowMs: number;
  /** Directory of the namespaces' bind mounts. */
  readonly namespaceDir: string;
};

/** Pure: what the container gets. Throws ORCH_IN_USE, ORCH_CONFLICT, ORCH_INVALID, ORCH_UNSUPPORTED. */
export function planAttach(request: AttachRequest, context: AttachContext): LiveRecord {
  const { containerId, mode } = request;
  const namespacePath = `${context.namespaceDir}/${containerId}`;
  if (mode === 'none') {
    if (request.ports.length > 0) throw new OrchError('ORCH_INVALID', `Container ${containerId.slice(0, 12)} publishes ports but has no network`);
    return { state: 'attaching', attachment: { containerId, namespacePath, addresses: [], ports: [] } };
  }
  if (!context.subnet) throw new OrchError('ORCH_CONFLICT', 'This node has no subnet for its containers yet', { hint: 'It gets one from a manager when it joins' });
  const records = [...context.records.values()];
  const ports = planPorts(request.ports, records, context.listening);
  const address = planAddress(context.subnet, records, context.nowMs);
  return {
    state: 'attaching',
    hostLink: planHostLink(containerId, records),
    attachment: {
      containerId, namespacePath, ports, macAddress: macOf(address),
      addresses: [`${formatAddress(address)}/${context.subnet.prefixLength}`],
      gateway: formatAddress(gatewayOf(context.subnet)),
    },
  };
}

/** Prefix of every link on the node's side; whatever carries it is ours. */
export const HOST_LINK_PREFIX = 'og-';

/** A name from the first eight characters of the id that no other link has. */
function planHostLink(containerId: string, records: readonly AttachmentRecord[]): string {
  const taken = new Set(records.map((record) => record.state === 'released' ? undefined : record.hostLink));
  for (let start = 0; start + 8 <= containerId.length; start += 8) {
    const name = HOST_LINK_PREFIX + containerId.slice(start, start + 8);
    if (!taken.has(name)) return name;
  }
  throw new OrchError('ORCH_INVALID', `"${containerId}" is not a container id`);
}
