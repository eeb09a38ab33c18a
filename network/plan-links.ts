import type { LiveRecord } from './attachment-record.ts';
import { formatAddress, gatewayOf, macOf, type Subnet } from './ipv4.ts';

/** The node's bridge. */
export const BRIDGE = 'orch0';

/**
 * Lines for `ip -batch` run inside the container's new namespace. The link pair is made from here with its other end
 * put straight into the node's namespace, so that one process does the whole container side.
 */
export function planContainerLinks(record: LiveRecord, hostNamespacePath: string): string[] {
  const { addresses: [address], gateway, macAddress } = record.attachment;
  const lines = ['link set lo up'];
  if (!record.hostLink || !address || !gateway || !macAddress) return lines;
  return [
    ...lines,
    `link add eth0 address ${macAddress} type veth peer name ${record.hostLink} netns ${hostNamespacePath}`,
    'link set eth0 addrgenmode none',
    `addr add ${address} dev eth0`,
    'link set eth0 up',
    `route add default via ${gateway}`,
  ];
}

/** Lines that put the node's end of a container's link on the bridge. hairpin: a container may reach itself through the node's published port also where bridged frames pass the packet filter. */
export const planHostLinks = (hostLink: string): string[] => [
  `link set ${hostLink} master ${BRIDGE} addrgenmode none up`,
  `link set ${hostLink} type bridge_slave hairpin on`,
];

/** Link group of what is about to be deleted; a number that nobody else chooses. */
const DOOMED_GROUP = 0x6f726368;

/** Lines that delete links. As one group they cost the kernel one grace period; one by one each costs its own, some 20 ms. */
export const planLinkRemoval = (links: readonly string[]): string[] =>
  links.length > 0 ? [...links.map((link) => `link set ${link} group ${DOOMED_GROUP}`), `link del group ${DOOMED_GROUP}`] : [];

/** Lines that make the bridge; those of an existing one fail harmlessly or change nothing. Its own hardware address is set so that it does not change with its ports. */
export function planBridge(subnets: readonly Subnet[], existing: { readonly bridge: boolean; readonly addresses: readonly string[] }): string[] {
  const [first] = subnets;
  if (!first) return [];
  const wanted = subnets.map((subnet) => `${formatAddress(gatewayOf(subnet))}/${subnet.prefixLength}`);
  return [
    ...(existing.bridge ? [] : [`link add ${BRIDGE} type bridge forward_delay 0`, `link set ${BRIDGE} address ${macOf(gatewayOf(first))} addrgenmode none`]),
    `link set ${BRIDGE} up`,
    ...wanted.filter((address) => !existing.addresses.includes(address)).map((address) => `addr add ${address} dev ${BRIDGE}`),
    ...existing.addresses.filter((address) => !wanted.includes(address)).map((address) => `addr del ${address} dev ${BRIDGE}`),
  ];
}

/** IPv4 addresses (CIDR) of each link in the output of `ip -j -4 addr show`. */
export function parseLinkAddresses(json: string): Map<string, string[]> {
  const links = new Map<string, string[]>();
  const parsed: unknown = json.trim() === '' ? [] : JSON.parse(json);
  if (!Array.isArray(parsed)) return links;
  for (const link of parsed.filter(isIpLink)) {
    links.set(link.ifname, link.addr_info.map((address) => `${address.local}/${address.prefixlen}`));
  }
  return links;
}

type IpLink = { ifname: string; addr_info: { local: string; prefixlen: number }[] };

const isIpLink = (value: unknown): value is IpLink =>
  typeof value === 'object' && value !== null && 'ifname' in value && typeof value.ifname === 'string' && 'addr_info' in value && Array.isArray(value.addr_info);

/** Names of the links in the text of /proc/net/dev. */
export function parseLinkNames(text: string): Set<string> {
  return new Set(text.split('\n').slice(2).map((line) => line.split(':')[0]?.trim() ?? '').filter((name) => name !== ''));
}

/** Paths under `directory` on which a namespace is mounted, in the text of /proc/self/mountinfo. */
export function parseNamespaceMounts(mountInfo: string, directory: string): Set<string> {
  const paths = new Set<string>();
  for (const line of mountInfo.split('\n')) {
    const path = unescapeMountPath(line.split(' ')[4] ?? '');
    if (path.startsWith(`${directory}/`) && line.includes(' - nsfs ')) paths.add(path);
  }
  return paths;
}

/** mountinfo writes space, tab, newline and backslash as octal escapes. */
const unescapeMountPath = (path: string): string => path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
