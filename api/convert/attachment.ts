import type { ContainerAttachment } from '../node-engine.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Where the node's published ports are open: on all of its addresses. */
const ANY_ADDRESS = '0.0.0.0';
/** Docker's name of the network of a node. */
const NETWORK = 'bridge';

/** Docker's list of published ports, as in `docker ps`. */
export const dockerPorts = (attachment: ContainerAttachment | undefined): object[] =>
  (attachment?.ports ?? []).map(({ protocol, targetPort, publishedPort }) => ({ IP: ANY_ADDRESS, PrivatePort: targetPort, PublicPort: publishedPort, Type: protocol }));

/** Docker's table of published ports, as in `docker inspect`. */
export function dockerPortMap(attachment: ContainerAttachment | undefined): Record<string, object[]> {
  const map: Record<string, object[]> = {};
  for (const { protocol, targetPort, publishedPort } of attachment?.ports ?? []) {
    (map[`${targetPort}/${protocol}`] ??= []).push({ HostIp: ANY_ADDRESS, HostPort: String(publishedPort) });
  }
  return map;
}

/** Docker's networks of a container by name; empty for one that shares the node's, or has none. */
export function dockerNetworks(attachment: ContainerAttachment | undefined): Record<string, object> {
  const [address, prefix] = attachment?.addresses[0]?.split('/') ?? [];
  if (!attachment || address === undefined) return {};
  return { [NETWORK]: withoutUndefined({ IPAddress: address, IPPrefixLen: Number(prefix), Gateway: attachment.gateway, MacAddress: attachment.macAddress }) };
}
