import type { PublishedPort } from '../model/service.ts';
import type { LiveRecord } from './attachment-record.ts';
import { formatSubnet, parseAddress, type Subnet } from './ipv4.ts';
import { BRIDGE } from './plan-links.ts';

/** Our table of the node's packet filter; nothing else there is ever touched. */
const TABLE = 'ip orch';

/**
 * The whole table as one `nft` transaction that replaces what was there; established connections live on.
 * hairpin: a container that reaches another (or itself) by a published port would get its answer directly, past the translation; so its source is hidden.
 * raw: the bridge routes 127.0.0.0/8 for the node's own use of published ports; a container must not reach the node's loopback that way.
 * zones: a UDP client that never pauses keeps its connection entry, and with it the container that has gone; so each container's entries are in a zone of their own,
 *   where those of its predecessor on the port are not found. Only the direction from the client has the zone: answers need no rule.
 * forward: from outside only published ports lead to containers.
 */
export function planTable(subnets: readonly Subnet[], records: readonly LiveRecord[]): string {
  const elements = records.flatMap(portElements);
  return `table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  set subnets { type ipv4_addr; flags interval; ${elementsClause(subnets.map(formatSubnet))} }
  map pub { type inet_proto . inet_service : ipv4_addr . inet_service; ${elementsClause(elements)} }
  map zones { typeof udp dport : ct zone; ${elementsClause(records.flatMap(zoneElements))} }
  chain raw {
    type filter hook prerouting priority -300;
    iifname "${BRIDGE}" ip daddr 127.0.0.0/8 drop
    fib daddr type local ct original zone set udp dport map @zones
  }
  chain raw-output {
    type filter hook output priority -300;
    fib daddr type local ct original zone set udp dport map @zones
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
  return [
    change('delete', 'pub', removed.flatMap((record) => record.attachment.ports.map(portKey))),
    change('delete', 'zones', removed.flatMap((record) => udpPorts(record).map((port) => String(port.publishedPort)))),
    change('add', 'pub', added.flatMap(portElements)),
    change('add', 'zones', added.flatMap(zoneElements)),
  ].join('');
}

const change = (verb: 'add' | 'delete', map: string, elements: readonly string[]): string =>
  elements.length > 0 ? `${verb} element ${TABLE} ${map} { ${elements.join(', ')} }\n` : '';

const portKey = (port: PublishedPort): string => `${port.protocol} . ${port.publishedPort}`;

const udpPorts = (record: LiveRecord): PublishedPort[] => record.attachment.ports.filter((port) => port.protocol === 'udp');

const addressOf = (record: LiveRecord): string => record.attachment.addresses[0]?.split('/')[0] ?? '';

const portElements = (record: LiveRecord): string[] => record.attachment.ports.map((port) => `${portKey(port)} : ${addressOf(record)} . ${port.targetPort}`);

/** The zone follows from the address: the lower half of it, which no two containers of a node share. */
const zoneElements = (record: LiveRecord): string[] => udpPorts(record).map((port) => `${port.publishedPort} : ${(parseAddress(addressOf(record)) ?? 0) % 0x10000}`);

/** nft has no word for an empty set of elements. */
const elementsClause = (elements: readonly string[]): string => elements.length > 0 ? `elements = { ${elements.join(', ')} }` : '';
