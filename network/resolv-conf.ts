import { readTextIfExists } from '../base/files.ts';

/** What a container's /etc/resolv.conf is made of. */
export type ResolverConfig = { readonly nameservers: readonly string[]; readonly search: readonly string[]; readonly options: readonly string[] };

/** Reads the text of a resolv.conf; of several `search` lines the last counts. */
export function parseResolvConf(text: string): ResolverConfig {
  const nameservers: string[] = [];
  const options: string[] = [];
  let search: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.replace(/[#;].*$/, '').trim().split(/\s+/);
    if (keyword === 'nameserver' && values[0]) nameservers.push(values[0]);
    if (keyword === 'search' || keyword === 'domain') search = values;
    if (keyword === 'options') options.push(...values);
  }
  return { nameservers, search, options };
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1' || address === '0.0.0.0';

/** The same without nameservers that a container can't reach: those on the node's own loopback, and IPv6 ones with a link's name. */
export const withoutLoopback = (config: ResolverConfig): ResolverConfig =>
  ({ ...config, nameservers: config.nameservers.filter((address) => !isLoopback(address) && !address.includes('%')) });

/** systemd-resolved answers on 127.0.0.53 and keeps the real servers here. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';

/** Nameservers, search domains and options for this node's containers, from the node's own. No nameservers when the node has none that a container could reach. */
export async function readContainerResolver(path = '/etc/resolv.conf', resolvedPath = RESOLVED_CONF): Promise<ResolverConfig> {
  const own = withoutLoopback(parseResolvConf(await readTextIfExists(path) ?? ''));
  if (own.nameservers.length > 0) return own;
  const resolved = await readTextIfExists(resolvedPath);
  return resolved === undefined ? own : withoutLoopback(parseResolvConf(resolved));
}
