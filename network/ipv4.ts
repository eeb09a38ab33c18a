import { OrchError } from '../model/errors.ts';
import { isIpv4, parseIpv4Cidr } from '../model/ip.ts';

/** An IPv4 network; `base` is its first address as an unsigned number. */
export type Subnet = { readonly base: number; readonly prefixLength: number };

/** Reads `10.200.3.0/24`. Throws ORCH_INVALID, also when bits are set after the prefix or no container would fit. */
export function parseSubnet(cidr: string): Subnet {
  const parts = parseIpv4Cidr(cidr);
  if (!parts || parts.prefix > 30) throw new OrchError('ORCH_INVALID', `"${cidr}" is not an IPv4 subnet such as 10.200.3.0/24`);
  return { base: numberOf(parts.address), prefixLength: parts.prefix };
}

/** The address as an unsigned number; undefined when `text` is no dotted IPv4 address. */
export const parseAddress = (text: string): number | undefined => isIpv4(text) ? numberOf(text) : undefined;

const numberOf = (dotted: string): number => dotted.split('.').reduce((value, part) => value * 256 + Number(part), 0);

const bytesOf = (address: number): number[] => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);

export const formatAddress = (address: number): string => bytesOf(address).join('.');

export const formatSubnet = (subnet: Subnet): string => `${formatAddress(subnet.base)}/${subnet.prefixLength}`;

/** First address of the subnet that a host can have: the bridge's own. */
export const gatewayOf = (subnet: Subnet): number => subnet.base + 1;

/** First and last address for containers, both included; none when first > last. */
export const containerRange = (subnet: Subnet): { first: number; last: number } =>
  ({ first: subnet.base + 2, last: subnet.base + 2 ** (32 - subnet.prefixLength) - 2 });

/** Hardware address that follows from the IP address, so that peers can know it without asking: `02:42:0a:c8:03:02`. */
export const macOf = (address: number): string => ['02', '42', ...bytesOf(address).map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
