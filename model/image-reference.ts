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
const MAX_NAME_LENGTH = 255;

/** Reads what a user writes: `web`, `web:1`, `host:5000/team/web@sha256:…`. Throws ORCH_INVALID naming the text. */
export function parseImageReference(text: string): ImageReference {
  const invalid = (why: string): OrchError =>
    new OrchError('ORCH_INVALID', `"${text}" is not a valid image reference: ${why}`, { hint: 'Write NAME[:TAG] or HOST[:PORT]/NAME[:TAG][@sha256:DIGEST]' });
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) throw invalid('the digest must be sha256: and 64 lower-case hexadecimal digits');
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid('a tag is up to 128 letters, digits, underscores, dots and dashes, and does not begin with a dot or dash');
  const { domain, path } = splitDomain(hasTag ? named.slice(0, colon) : named);
  if (!domainPattern.test(domain)) throw invalid(`"${domain}" is not a registry host`);
  if (!pathPattern.test(path)) throw invalid(/[A-Z]/.test(path) ? 'the name must be lower case' : 'the name must be lower-case words joined by / . _ or -');
  if (domain.length + path.length + 1 > MAX_NAME_LENGTH) throw invalid(`the name is longer than ${MAX_NAME_LENGTH} characters`);
  return {
    domain, path,
    ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }),
    ...(tag === undefined && digest === undefined ? { tag: 'latest' } : {}),
  };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase();
  const domain = isDomain ? first : DEFAULT_DOMAIN;
  const rest = isDomain ? name.slice(slash + 1) : name;
  const normalDomain = domain === 'index.docker.io' ? DEFAULT_DOMAIN : domain;
  return { domain: normalDomain, path: normalDomain === DEFAULT_DOMAIN && !rest.includes('/') ? `library/${rest}` : rest };
}

/** The short form that people read: without `docker.io/library/`. */
export function familiarName(reference: ImageReference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  return reference.path.startsWith('library/') ? reference.path.slice('library/'.length) : reference.path;
}

/** The short form with tag and digest. */
export function formatImageReference(reference: ImageReference): string {
  return familiarName(reference) + (reference.tag === undefined ? '' : `:${reference.tag}`) + (reference.digest === undefined ? '' : `@${reference.digest}`);
}
