import type { PublishedPort } from '../model/service.ts';
import type { LiveRecord } from './attachment-record.ts';
import { formatSubnet, type Subnet } from './ipv4.ts';
import { BRIDGE } from './plan-links.ts';

/** Our table of the node's packet filter; nothing else there is ever touched. */
const TABLE = 'ip orch';

/**
 * The whole table as one `nft` transaction that replaces what was there; established connections live on.
 * hairpin: a container that reaches another (or itself) by a published port would get its answer directly, past the translation; so its source is hidden.
 * raw: the bridge routes 127.0.0.0/8 for the node's own use of published ports; a container must not reach the node's loopback that way.
 * forward: from outside only published ports lead to containers.
 */
export function planTable(subnets: readonly Subnet[], records: readonly LiveRecord[]): string {
  const elements = records.flatMap(portElements);
  return `table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  set subnets { type ipv4_addr; flags interval; ${elementsClause(subnets.map(formatSubnet))} }
  map pub { type inet_proto . inet_service : ipv4_addr . inet_service; ${elementsClause(elements)} }
  chain raw {
    type filter hook prerouting priority -300;
    iifname "${BRIDGE}" ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority -100;
    fib daddr type local meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @pub
  }
  chain output {
    type nat hook output priority -100;
    fib daddr type local meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport map @pub
  }
  chain forward {
    type filter hook forward priority 0;
    oifname "${BRIDGE}" iifname "${BRIDGE}" accept
    oifname "${BRIDGE}" ct state established,related accept
    oifname "${BRIDGE}" ct status dnat accept
    oifname "${BRIDGE}" drop
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "${BRIDGE}" ip saddr 127.0.0.0/8 masquerade
    oifname "${BRIDGE}" ip saddr @subnets ct status dnat masquerade
    oifname != "${BRIDGE}" ip saddr @subnets masquerade
  }
}
`;
}

/** The change of the published ports as one `nft` transaction; empty when there is none. */
export function planPortChange(removed: readonly LiveRecord[], added: readonly LiveRecord[]): string {
  const keys = removed.flatMap((record) => record.attachment.ports.map(portKey));
  const elements = added.flatMap(portElements);
  return [
    ...(keys.length > 0 ? [`delete element ${TABLE} pub { ${keys.join(', ')} }`] : []),
    ...(elements.length > 0 ? [`add element ${TABLE} pub { ${elements.join(', ')} }`] : []),
  ].map((line) => `${line}\n`).join('');
}

const portKey = (port: PublishedPort): string => `${port.protocol} . ${port.publishedPort}`;

function portElements(record: LiveRecord): string[] {
  const address = record.attachment.addresses[0]?.split('/')[0];
  if (!address) return [];
  return record.attachment.ports.map((port) => `${portKey(port)} : ${address} . ${port.targetPort}`);
}

/** nft has no word for an empty set of elements. */
const elementsClause = (elements: readonly string[]): string => elements.length > 0 ? `elements = { ${elements.join(', ')} }` : '';
