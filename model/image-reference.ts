import { OrchError } from './errors.ts';

/** A parsed image reference (grammar: github.com/distribution/reference). */
export type ImageReference = {
  /** Registry host, `docker.io` when none was written. */
  readonly domain: string;
  /** Repository path in it; `library/` is added for one-word names of docker.io. */
  readonly path: string;
  /** `latest` when neither tag nor digest was written. */
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
};

const DEFAULT_DOMAIN = 'docker.io';
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const domainPattern = /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[a-f0-9]{64}$/;
const imageIdPattern = /^(?:library\/)?[a-f0-9]{64}$/;
const MAX_PATH_LENGTH = 255;

/** Reads what a user writes: `web`, `web:1`, `host:5000/team/web@sha256:…`. Throws ORCH_INVALID naming the text. */
export function parseImageReference(text: string): ImageReference {
  const { name, tag, digest } = splitReference(text);
  const reference = {
    ...splitDomain(name),
    ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }),
    ...(tag === undefined && digest === undefined ? { tag: 'latest' } : {}),
  };
  const why = name === '' ? 'the name is missing' : digestProblem(digest) ?? tagProblem(tag) ?? domainProblem(reference.domain) ?? pathProblem(reference.path);
  if (why === undefined) return reference;
  throw new OrchError('ORCH_INVALID', `"${text}" is not a valid image reference: ${why}`, { hint: 'Write NAME[:TAG] or HOST[:PORT]/NAME[:TAG][@sha256:DIGEST]' });
}

function splitReference(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  // A colon before the last slash belongs to the registry's port.
  if (colon <= named.lastIndexOf('/')) return { name: named, tag: undefined, digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

function digestProblem(digest: string | undefined): string | undefined {
  if (digest === undefined || digestPattern.test(digest)) return undefined;
  return 'the digest must be sha256: and 64 lower-case hexadecimal digits';
}

function tagProblem(tag: string | undefined): string | undefined {
  if (tag === undefined || tagPattern.test(tag)) return undefined;
  return 'a tag is up to 128 letters, digits, underscores, dots and dashes, and does not begin with a dot or dash';
}

function domainProblem(domain: string): string | undefined {
  return domainPattern.test(domain) ? undefined : `"${domain}" is not a registry host`;
}

function pathProblem(path: string): string | undefined {
  if (/[A-Z]/.test(path)) return 'the name must be lower case';
  if (!pathPattern.test(path)) return 'the name must be lower-case words joined by / . _ or -';
  if (path.length > MAX_PATH_LENGTH) return `the name is longer than ${MAX_PATH_LENGTH} characters`;
  if (imageIdPattern.test(path)) return 'a name of 64 hexadecimal digits could be mistaken for an image id';
  return undefined;
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasDomain = looksLikeDomain(first);
  const domain = hasDomain ? first : DEFAULT_DOMAIN;
  const rest = hasDomain ? name.slice(slash + 1) : name;
  const normalDomain = domain === 'index.docker.io' ? DEFAULT_DOMAIN : domain;
  return { domain: normalDomain, path: normalDomain === DEFAULT_DOMAIN && !rest.includes('/') ? `library/${rest}` : rest };
}

/** True when the part before the first slash names a registry and not a user of docker.io. */
const looksLikeDomain = (first: string): boolean =>
  first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase();

/** The short form that people read: without `docker.io/` and `library/`, unless what remains would be read as something else. */
export function familiarName(reference: ImageReference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  const [first = '', second, ...more] = reference.path.split('/');
  if (first === 'library' && second !== undefined && more.length === 0) return second;
  return looksLikeDomain(first) ? `${DEFAULT_DOMAIN}/${reference.path}` : reference.path;
}

/** The short form with tag and digest. */
export function formatImageReference(reference: ImageReference): string {
  return familiarName(reference) + (reference.tag === undefined ? '' : `:${reference.tag}`) + (reference.digest === undefined ? '' : `@${reference.digest}`);
}
