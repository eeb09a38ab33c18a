import { OrchError } from '../model/errors.ts';
import type { PublishedPort } from '../model/service.ts';
import { isLive, type AttachmentRecord } from './attachment-record.ts';

/** Host ports on which some program of the node listens, by protocol. */
export type ListeningPorts = { readonly tcp: ReadonlySet<number>; readonly udp: ReadonlySet<number> };

/** Ports handed out when a request leaves the choice open; the range Docker Swarm uses. */
const FREE_RANGE = { first: 30_000, last: 32_767 } as const;

/** Socket states of /proc/net/tcp (LISTEN) and /proc/net/udp (bound and not connected). */
const LISTEN_STATE = { tcp: '0A', udp: '07' } as const;

/** Local ports of listening sockets in the text of /proc/net/{tcp,tcp6,udp,udp6}. */
export function parseListeningPorts(text: string, protocol: 'tcp' | 'udp'): Set<number> {
  const ports = new Set<number>();
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , state] = line.trim().split(/\s+/);
    if (state === LISTEN_STATE[protocol]) ports.add(Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
  }
  return ports;
}

const portKey = (port: Pick<PublishedPort, 'protocol' | 'publishedPort'>): string => `${port.publishedPort}/${port.protocol}`;

/** The requested ports with real numbers. Throws ORCH_IN_USE naming the port and who has it, ORCH_UNSUPPORTED for SCTP. */
export function planPorts(requested: readonly PublishedPort[], records: Iterable<AttachmentRecord>, listening: ListeningPorts): PublishedPort[] {
  const holders = new Map<string, string>();
  for (const record of records) {
    if (!isLive(record)) continue;
    for (const port of record.attachment.ports) holders.set(portKey(port), `container ${record.attachment.containerId.slice(0, 12)}`);
  }
  const holderOf = (protocol: 'tcp' | 'udp', publishedPort: number): string | undefined =>
    holders.get(portKey({ protocol, publishedPort })) ?? (listening[protocol].has(publishedPort) ? 'a program of the node' : undefined);
  return requested.map((port) => {
    if (port.protocol === 'sctp') throw new OrchError('ORCH_UNSUPPORTED', `Port ${port.publishedPort}/sctp can't be published: only tcp and udp can`);
    const publishedPort = port.publishedPort || freePort(port.protocol, holderOf);
    const holder = holderOf(port.protocol, publishedPort);
    if (holder) {
      throw new OrchError('ORCH_IN_USE', `Port ${publishedPort}/${port.protocol} of this node is already in use by ${holder}`, {
        details: { port: publishedPort, protocol: port.protocol }, hint: 'Publish another port, or stop what uses this one',
      });
    }
    holders.set(portKey({ protocol: port.protocol, publishedPort }), 'this container');
    return { ...port, publishedPort };
  });
}

function freePort(protocol: 'tcp' | 'udp', holderOf: (protocol: 'tcp' | 'udp', port: number) => string | undefined): number {
  for (let port: number = FREE_RANGE.first; port <= FREE_RANGE.last; port += 1) {
    if (!holderOf(protocol, port)) return port;
  }
  throw new OrchError('ORCH_IN_USE', `No free ${protocol} port from ${FREE_RANGE.first} to ${FREE_RANGE.last} is left on this node`);
}
