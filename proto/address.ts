import { OrchError } from '../model/errors.ts';

export type HostPort = { readonly host: string; readonly port: number };

/** Splits `HOST:PORT`, `HOST` or `[IPV6]:PORT`; a missing port is `defaultPort`. Throws ORCH_INVALID. */
export function parseHostPort(text: string, defaultPort: number): HostPort {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([^:[\]/\s]+)(?::(\d{1,5}))?$/.exec(text);
  const [, host, portText] = bracketed ?? plain ?? [];
  const port = portText === undefined ? defaultPort : Number(portText);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new OrchError('ORCH_INVALID', `"${text}" is no address of the form HOST:PORT`);
}

/** The text form of an address, with brackets around IPv6. */
export const formatHostPort = ({ host, port }: HostPort): string => host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
