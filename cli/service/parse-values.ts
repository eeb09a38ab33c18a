import { OrchError } from '../../model/errors.ts';
import { parseBytes } from '../../model/units.ts';
import type { DockerMount, DockerPort } from './docker-spec.ts';

const usage = (message: string, hint: string): OrchError => new OrchError('ORCH_USAGE', message, { hint });

/** `KEY=VALUE` or `KEY` into a pair; a missing value is empty. */
function parseKeyValue(flag: string, text: string): [string, string] {
  const equals = text.indexOf('=');
  const key = equals < 0 ? text : text.slice(0, equals);
  if (key === '') throw usage(`--${flag}: "${text}" has no name before the =`, 'Write NAME=VALUE');
  return [key, equals < 0 ? '' : text.slice(equals + 1)];
}

export const parsePairs = (flag: string, texts: readonly string[]): Record<string, string> => Object.fromEntries(texts.map((text) => parseKeyValue(flag, text)));

/** Splits Docker's comma-separated `key=value` notation (a field may be quoted, as in CSV). */
export function parseFields(flag: string, text: string): Map<string, string> {
  const fields = text.match(/(?:"(?:[^"]|"")*"|[^,])+/g) ?? [];
  return new Map(fields.map((field) => {
    const [key, value] = parseKeyValue(flag, field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    return [key.toLowerCase(), value];
  }));
}

const MOUNT_EXAMPLE = 'Write type=bind,source=/srv,target=/data[,readonly], or type=tmpfs,target=/tmp[,tmpfs-size=64m]';

function parseMountSwitch(key: string, value: string | undefined): boolean {
  if (value === undefined || value === 'false' || value === '0') return false;
  if (value === '' || value === 'true' || value === '1') return true;
  throw usage(`--mount: ${key} is true or false, not "${value}"`, MOUNT_EXAMPLE);
}

/** One `--mount`. Every key is honoured or refused by name. */
export function parseMount(text: string): DockerMount {
  const fields = parseFields('mount', text);
  const take = (...names: string[]): string | undefined => {
    const name = names.find((candidate) => fields.has(candidate));
    const value = name === undefined ? undefined : fields.get(name);
    for (const used of names) fields.delete(used);
    return value;
  };
  const type = take('type') ?? 'volume';
  const source = take('source', 'src');
  const target = take('target', 'dst', 'destination');
  const readOnly = parseMountSwitch('readonly', take('readonly', 'ro'));
  const propagation = take('bind-propagation');
  const size = take('tmpfs-size');
  const mode = take('tmpfs-mode');
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw new OrchError('ORCH_UNSUPPORTED', `--mount: the key "${unknown}" is not supported`, { hint: MOUNT_EXAMPLE });
  if (target === undefined) throw usage(`--mount: "${text}" has no target`, MOUNT_EXAMPLE);
  if (mode !== undefined && !/^0?[0-7]{1,4}$/.test(mode)) throw usage(`--mount: tmpfs-mode "${mode}" is not an octal mode`, 'Such as tmpfs-mode=1777');
  const tmpfs = { ...(size === undefined ? {} : { SizeBytes: parseBytes(size) }), ...(mode === undefined ? {} : { Mode: Number.parseInt(mode, 8) }) };
  return {
    Type: type, Target: target, ...(source === undefined ? {} : { Source: source }), ...(readOnly ? { ReadOnly: true } : {}),
    ...(propagation === undefined ? {} : { BindOptions: { Propagation: propagation } }), ...(Object.keys(tmpfs).length > 0 ? { TmpfsOptions: tmpfs } : {}),
  };
}

const PORT_EXAMPLE = 'Write mode=host,target=80,published=8080[,protocol=udp]';

/** One `--publish`, long (`mode=host,target=80,published=8080`) or short (`8080:80/tcp`, ranges too). The short form means mode ingress, as in Docker. */
export function parsePublish(text: string): DockerPort[] {
  return text.includes('=') ? [parseLongPublish(text)] : parseShortPublish(text);
}

function parseLongPublish(text: string): DockerPort {
  const fields = parseFields('publish', text);
  const known = new Set(['mode', 'target', 'published', 'protocol']);
  for (const key of fields.keys()) if (!known.has(key)) throw usage(`--publish: the key "${key}" is not known`, PORT_EXAMPLE);
  const published = fields.get('published');
  const target = fields.get('target');
  if (target === undefined) throw usage(`--publish: "${text}" has no target port`, PORT_EXAMPLE);
  const mode = fields.get('mode') ?? 'ingress';
  if (mode !== 'ingress' && mode !== 'host') throw usage(`--publish: mode is host or ingress, not "${mode}"`, PORT_EXAMPLE);
  return { Protocol: parseProtocol(fields.get('protocol') ?? 'tcp'), TargetPort: parsePort(target), PublishMode: mode, ...(published === undefined ? {} : { PublishedPort: parsePort(published) }) };
}

function parseShortPublish(text: string): DockerPort[] {
  const match = /^(?:(\d+)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text);
  if (!match) throw usage(`--publish: "${text}" is not a port`, PORT_EXAMPLE);
  const [, publishedFirst, publishedLast, targetFirst = '', targetLast, protocol = 'tcp'] = match;
  const first = parsePort(targetFirst);
  const count = parsePort(targetLast ?? targetFirst) - first + 1;
  const published = publishedFirst === undefined ? undefined : parsePort(publishedFirst);
  const publishedCount = published === undefined ? count : parsePort(publishedLast ?? publishedFirst ?? '') - published + 1;
  if (count < 1 || publishedCount !== count) throw usage(`--publish: the two ranges of "${text}" differ in length`, 'Write 8000-8010:80-90');
  return Array.from({ length: count }, (_, offset) => ({
    Protocol: parseProtocol(protocol), TargetPort: first + offset, PublishMode: 'ingress', ...(published === undefined ? {} : { PublishedPort: published + offset }),
  }));
}

function parseProtocol(text: string): string {
  if (!['tcp', 'udp', 'sctp'].includes(text)) throw usage(`--publish: "${text}" is not a protocol`, 'Use tcp, udp or sctp');
  return text;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw usage(`--publish: "${text}" is not a port`, 'Ports are 1 to 65535');
  return port;
}

/** One `--ulimit`: `nofile=1024:2048`. */
export function parseUlimit(text: string): { Name: string; Soft: number; Hard: number } {
  const match = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (!match) throw usage(`--ulimit: "${text}" is not a limit`, 'Write nofile=1024:2048');
  const [, name = '', soft = '', hard = soft] = match;
  return { Name: name, Soft: Number(soft), Hard: Number(hard) };
}

/** One `--placement-pref`: `spread=node.labels.zone`. */
export function parsePlacementPreference(text: string): { Spread: { SpreadDescriptor: string } } {
  const [strategy, descriptor] = parseKeyValue('placement-pref', text);
  if (strategy !== 'spread' || descriptor === '') throw usage(`--placement-pref: "${text}" is not a preference`, 'Write spread=node.labels.zone');
  return { Spread: { SpreadDescriptor: descriptor } };
}

/** One `--host`: `db:10.0.0.5` becomes the line `10.0.0.5 db` of /etc/hosts. */
export function parseHost(text: string): string {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) throw usage(`--host: "${text}" is not a host`, 'Write NAME:ADDRESS');
  return `${text.slice(colon + 1)} ${text.slice(0, colon)}`;
}

/** Splits a command line as a shell does with quotes and backslashes, without any expansion. Throws ORCH_USAGE when a quote is not closed. */
export function splitShellWords(text: string): string[] {
  const word = /(?:"(?:\\[\s\S]|[^"\\])*"|'[^']*'|\\[\s\S]|[^\s"'\\])+/g;
  const words = text.match(word) ?? [];
  if (text.replaceAll(word, '').trim() !== '') throw usage(`The command line ${text} ends inside of a quote`, 'Close the quote, or put a backslash before it');
  return words.map((word) => (word.match(/"(?:\\[\s\S]|[^"\\])*"|'[^']*'|\\[\s\S]|[^"'\\]+/g) ?? []).map(unquote).join(''));
}

function unquote(piece: string): string {
  if (piece.startsWith('"')) return piece.slice(1, -1).replaceAll(/\\(["\\$`])/g, '$1');
  if (piece.startsWith("'")) return piece.slice(1, -1);
  return piece.startsWith('\\') ? piece.slice(1) : piece;
}
