import { OrchError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';
import type { HttpResponse } from './http-client.ts';

/** A failure that may pass: worth another try, after `retryAfterMs` when the registry has said so. `final` is what to throw when it does not pass. */
export class TransientFailure extends Error {
  readonly final: OrchError;
  readonly retryAfterMs: number | undefined;

  constructor(final: OrchError, retryAfterMs?: number) {
    super(final.message, { cause: final });
    this.final = final;
    this.retryAfterMs = retryAfterMs;
  }
}

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_WORDS = 300;
/** System errors of a connection that a second try may not meet. */
const passing = new Set(['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'HPE_INVALID_CONSTANT', 'ERR_STREAM_PREMATURE_CLOSE']);
const certificateErrors = new Set(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'ERR_TLS_CERT_ALTNAME_INVALID']);
type Explanation = { readonly words: string; readonly hint?: string };
const unresolvable: Explanation = { words: 'its name cannot be resolved', hint: 'Check the name, and the name servers of this node' };
/** What the commonest errors of a connection mean. */
const explanations: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ['EAI_AGAIN', unresolvable], ['ENOTFOUND', unresolvable],
  ['ECONNREFUSED', { words: 'the connection was refused', hint: 'Check the address and that the registry runs there' }],
  ['EHOSTUNREACH', { words: 'there is no way to it from this node' }], ['ENETUNREACH', { words: 'there is no way to it from this node' }],
]);
const passingStatuses = new Set([408, 429, 500, 502, 503, 504]);

/** Names the registry and what was wanted of it, for messages: `registry.example.com` and `web:1`. */
export type Asked = { readonly host: string; readonly what: string };

/** The failure behind a broken connection. Errors that are none come back as they are. */
export function connectionFailure(error: unknown, { host, what }: Asked): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  const explained = explanations.get(code);
  const fail = (hint = explained?.hint): OrchError => new OrchError('ORCH_REGISTRY', `Registry ${host} cannot be asked for "${what}": ${explained?.words ?? (message || code)}`, { cause: error, hint });
  if (passing.has(code)) return new TransientFailure(fail());
  if (certificateErrors.has(code)) return fail('Add the certificate of its CA to this node, or list it among the insecure registries');
  return error instanceof Error && !(error instanceof OrchError) && !(error instanceof TransientFailure) ? fail() : error;
}

/** The failure that an answer other than success means; reads the registry's own words from the body. */
export async function statusFailure(response: HttpResponse, { host, what }: Asked, nowMs: number): Promise<OrchError | TransientFailure> {
  const words = await readWords(response);
  const said = words === '' ? `it answered ${response.status}` : words;
  const fail = (code: ErrorCode, message: string, hint?: string): OrchError => new OrchError(code, message, { hint, details: { status: response.status } });
  switch (response.status) {
    case 401: return fail('ORCH_UNAUTHORIZED', `Registry ${host} does not let us have "${what}": ${said}`, 'Check the name, and log in when the image is private');
    case 403: return fail('ORCH_UNAUTHORIZED', `Registry ${host} denies access to "${what}": ${said}`, 'Check the name, and that your account may pull it');
    case 404: return fail('ORCH_NOT_FOUND', `Registry ${host} has no "${what}": ${said}`);
    case 429: return limited(fail('ORCH_REGISTRY', `Registry ${host} limits how often "${what}" may be asked for: ${said}`, 'Log in for a higher limit, or try again later'), response, nowMs);
    default: {
      const failure = fail('ORCH_REGISTRY', `Registry ${host} failed to deliver "${what}": ${said}`);
      return passingStatuses.has(response.status) ? new TransientFailure(failure, retryAfterMs(response, nowMs)) : failure;
    }
  }
}

function limited(failure: OrchError, response: HttpResponse, nowMs: number): TransientFailure {
  return new TransientFailure(failure, retryAfterMs(response, nowMs));
}

/** Retry-After is a number of seconds or a date. */
function retryAfterMs({ headers }: HttpResponse, nowMs: number): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const atMs = parseDate(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

// oxlint-disable-next-line no-restricted-globals -- turns text into a number; reads no clock
const parseDate = (text: string): number => Date.parse(text);

/** What the registry says went wrong: `denied: requested access to the resource is denied`; empty when it says nothing readable. */
async function readWords(response: HttpResponse): Promise<string> {
  const text = await readText(response);
  const words = errorsIn(text) ?? (response.headers['content-type']?.startsWith('text/plain') ? text : '');
  return words.replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS);
}

async function readText({ body }: HttpResponse): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ERROR_BYTES) break;
    }
  } catch {
    return ''; // the status alone says enough when the words break off
  }
  return Buffer.concat(chunks).toString('utf8');
}

function errorsIn(text: string): string | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined; // not every server speaks the protocol's error format
  }
  const fields: Readonly<Record<string, unknown>> = typeof document === 'object' && document !== null ? { ...document } : {};
  const errors = Array.isArray(fields['errors']) ? fields['errors'].map(describe).filter((item) => item !== '') : [];
  if (errors.length > 0) return errors.join('; ');
  const plain = fields['details'] ?? fields['message'] ?? fields['error_description'] ?? fields['error'];
  return typeof plain === 'string' ? plain : undefined;
}

function describe(item: unknown): string {
  const fields: Readonly<Record<string, unknown>> = typeof item === 'object' && item !== null ? { ...item } : {};
  const code = typeof fields['code'] === 'string' ? fields['code'].toLowerCase().replaceAll('_', ' ') : '';
  const message = typeof fields['message'] === 'string' ? fields['message'] : '';
  return [code, message].filter((part, index, parts) => part !== '' && parts.indexOf(part) === index).join(': ');
}
