import { BlockList, isIPv4, isIPv6 } from 'node:net';

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_HOST = 'registry-1.docker.io';

/** Where the registry of a reference's `domain` answers: host and port. */
export const registryHost = (domain: string): string => domain === DOCKER_HUB ? DOCKER_HUB_HOST : domain;

/**
 * True when `host` (with or without port) may answer by plain HTTP or with a certificate nobody vouches for:
 * it is this very machine, as Docker has it, or one of `listed`, which are hosts as they stand in references, or networks such as `10.0.0.0/8`.
 */
export function isInsecureRegistry(host: string, listed: readonly string[]): boolean {
  const name = withoutPort(host);
  return name === 'localhost' || listed.includes(host) || listed.includes(name) || isInNetworks(name, ['127.0.0.0/8', '::1/128', ...listed]);
}

function isInNetworks(address: string, networks: readonly string[]): boolean {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (family === 'ipv6' && !isIPv6(address)) return false;
  const list = new BlockList();
  for (const network of networks) {
    const [prefix = '', bits] = network.split('/');
    if (bits !== undefined && (isIPv4(prefix) || isIPv6(prefix))) list.addSubnet(prefix, Number(bits), isIPv4(prefix) ? 'ipv4' : 'ipv6');
  }
  return list.check(address, family);
}

function withoutPort(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'));
  return host.replace(/:\d+$/, '');
}
