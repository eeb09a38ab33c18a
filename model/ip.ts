/** True for dotted decimal without leading zeros: `10.0.0.1`. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** True for an IPv6 address without a zone: `::1`, `2001:db8::1`, `::ffff:10.0.0.1`. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => half === '' ? [] : half.split(':'));
  const last = groups.at(-1) ?? '';
  const tail = last.includes('.') ? 2 : 1;
  if (tail === 2 && !(isIpv4(last) && text.endsWith(last))) return false;
  const hexadecimal = tail === 2 ? groups.slice(0, -1) : groups;
  const count = hexadecimal.length + (tail === 2 ? 2 : 0);
  return hexadecimal.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) && (halves.length === 2 ? count < 8 : count === 8);
}

export const isIp = (text: string): boolean => isIpv4(text) || isIpv6(text);

/** The parts of `10.200.0.0/16`; undefined when it is not an IPv4 network, or when bits are set after the prefix. */
export function parseIpv4Cidr(text: string): { readonly address: string; readonly prefix: number } | undefined {
  const [, address = '', digits = ''] = /^([\d.]+)\/(0|[1-9]\d?)$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (digits === '' || prefix > 32 || !isIpv4(address)) return undefined;
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return value % 2 ** (32 - prefix) === 0 ? { address, prefix } : undefined;
}
