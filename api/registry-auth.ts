import { OrchError } from '../model/errors.ts';
import type { RegistryAuth } from '../model/image-pull.ts';
import { isRecord } from './convert/object-reader.ts';

/** The credentials of an `X-Registry-Auth` header (JSON in base64url, also plain base64); undefined when it is missing or holds none. Throws ORCH_INVALID. */
export function readRegistryAuth(header: string | readonly string[] | undefined): RegistryAuth | undefined {
  const text = typeof header === 'string' ? header : header?.[0];
  if (!text) return undefined;
  const auth = parseAuth(text);
  const field = (name: string): string => typeof auth[name] === 'string' ? auth[name] : '';
  if (field('identitytoken')) return { identityToken: field('identitytoken') };
  if (field('registrytoken')) throw new OrchError('ORCH_UNSUPPORTED', 'orch does not support a registrytoken in X-Registry-Auth', { hint: 'Use username and password, or an identitytoken' });
  const [username = '', ...password] = field('username') ? [field('username'), field('password')] : Buffer.from(field('auth'), 'base64').toString('utf8').split(':');
  return username === '' ? undefined : { username, password: password.join(':') };
}

function parseAuth(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(Buffer.from(text, 'base64').toString('utf8'));
  if (isRecord(value)) return value;
  throw new OrchError('ORCH_INVALID', 'The X-Registry-Auth header is not a JSON object in base64url');
}

/** Undefined for what is no JSON: the parser's own error would quote the secret. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
