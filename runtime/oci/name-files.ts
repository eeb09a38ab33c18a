import type { ContainerCreate } from '../engine.ts';
import { containerHostname } from './build-spec.ts';

const localHosts = [
  '127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback', 'fe00::0\tip6-localnet', 'ff00::0\tip6-mcastprefix', 'ff02::1\tip6-allnodes', 'ff02::2\tip6-allrouters',
];

/** Text of the container's /etc/hosts; with the node's network, the node's own file and the request's lines. */
export function formatHosts(create: ContainerCreate, nodeHosts: string): string {
  const base = create.network.mode === 'host' && nodeHosts.trim() !== '' ? nodeHosts.trimEnd().split('\n') : localHosts;
  return [...base, ...create.hosts, ''].join('\n');
}

/** Text of the container's /etc/hostname. */
export const formatHostname = (create: ContainerCreate): string => `${containerHostname(create)}\n`;

/**
 * Text of the container's /etc/resolv.conf: the request's settings where given, else the node's. Name servers on the node's
 * loopback are left out where the container cannot reach them.
 */
export function formatResolvConf(create: ContainerCreate, nodeResolvConf: string): string {
  const node = parseResolvConf(nodeResolvConf);
  const reachable = create.network.mode === 'host' ? node.nameservers : node.nameservers.filter((address) => !/^(?:127\.|::1$)/.test(address));
  const nameservers = create.dns.nameservers.length > 0 ? create.dns.nameservers : reachable;
  const search = create.dns.search.length > 0 ? create.dns.search : node.search;
  const options = create.dns.options.length > 0 ? create.dns.options : node.options;
  const lines = nameservers.map((address) => `nameserver ${address}`);
  if (search.length > 0 && search.join() !== '.') lines.push(`search ${search.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return [...lines, ''].join('\n');
}

function parseResolvConf(text: string): { nameservers: string[]; search: string[]; options: string[] } {
  const result = { nameservers: new Array<string>(), search: new Array<string>(), options: new Array<string>() };
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = line.replace(/[#;].*/, '').trim().split(/\s+/);
    if (keyword === 'nameserver') result.nameservers.push(...values.slice(0, 1));
    if (keyword === 'search' || keyword === 'domain') result.search = values;
    if (keyword === 'options') result.options.push(...values);
  }
  return result;
}
