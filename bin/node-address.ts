import { networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import { readTextIfExists } from '../base/files.ts';
import { OrchError } from '../model/errors.ts';

const CLUSTER_PORT = 2377;
const DEFAULT_ROUTE = '00000000';

export type HostPort = { readonly host: string; readonly port: number };

/** Reads `HOST`, `HOST:PORT` or `[V6]:PORT`. Throws ORCH_INVALID naming the flag. */
export function parseAddress(flag: string, text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? (isIP(text) === 6 ? text : '');
  const port = Number(match?.[3] ?? CLUSTER_PORT);
  if (host === '' || port > 65_535) throw new OrchError('ORCH_INVALID', `${flag} "${text}" is not an address`, { hint: 'Write HOST or HOST:PORT, such as 10.0.0.1:2377' });
  return { host, port };
}

export const formatAddress = ({ host, port }: HostPort): string => host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The address to tell others: what was asked for (an interface's name too), else that of the default route's interface. Throws ORCH_INVALID when there is none to choose. */
export async function chooseAdvertiseAddress(asked: string, listenPort: number): Promise<HostPort> {
  if (asked !== '') {
    const { host, port } = parseAddress('--advertise-addr', asked);
    const ofInterface = firstIpv4(host);
    return { host: ofInterface ?? host, port: asked.includes(':') ? port : listenPort };
  }
  const found = await defaultRouteAddress() ?? onlyAddress();
  if (found !== undefined) return { host: found, port: listenPort };
  throw new OrchError('ORCH_INVALID', 'This node has no address that could be told to others, or several', { hint: 'Name one with --advertise-addr ADDRESS' });
}

const firstIpv4 = (name: string): string | undefined => networkInterfaces()[name]?.find((address) => address.family === 'IPv4')?.address;

/** Address of the interface that the default route leaves by (/proc/net/route: Iface Destination ...). */
async function defaultRouteAddress(): Promise<string | undefined> {
  const rows = (await readTextIfExists('/proc/net/route') ?? '').split('\n').map((row) => row.split('\t'));
  const name = rows.find((row) => row[1] === DEFAULT_ROUTE)?.[0];
  return name === undefined ? undefined : firstIpv4(name);
}

function onlyAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter((address) => address.family === 'IPv4' && !address.internal);
  return addresses.length === 1 ? addresses[0]?.address : undefined;
}
