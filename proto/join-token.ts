import { createHash } from 'node:crypto';
import { OrchError } from '../model/errors.ts';
import { fromPem } from './x509/pem.ts';

/** `ORCHTKN-1-<digest of the CA>-<secret>`, both in lower-case base36. */
export type JoinToken = { readonly caDigest: string; readonly secret: string };

const PREFIX = 'ORCHTKN-1';
const DIGEST_LENGTH = 50;
const SECRET_LENGTH = 25;
const pattern = new RegExp(`^${PREFIX}-([0-9a-z]{${DIGEST_LENGTH}})-([0-9a-z]{${SECRET_LENGTH}})$`);

/** Throws ORCH_BAD_TOKEN for text that is no token; the message never repeats the text. */
export function parseJoinToken(text: string): JoinToken {
  const [, caDigest, secret] = pattern.exec(text.trim()) ?? [];
  if (caDigest !== undefined && secret !== undefined) return { caDigest, secret };
  throw new OrchError('ORCH_BAD_TOKEN', `The join token is malformed: it is not of the form ${PREFIX}-<${DIGEST_LENGTH} characters>-<${SECRET_LENGTH} characters>`, { hint: 'Copy the whole token that a manager shows' });
}

/** A token's text. `secret` is 16 random bytes. */
export function formatJoinToken(caPem: string, secret: Uint8Array): string {
  return `${PREFIX}-${caDigestOf(caPem)}-${toBase36(secret, SECRET_LENGTH)}`;
}

/** SHA-256 of the CA certificate's DER form, as it stands in a token. */
export function caDigestOf(caPem: string): string {
  return toBase36(createHash('sha256').update(fromPem('CERTIFICATE', caPem)).digest(), DIGEST_LENGTH);
}

function toBase36(bytes: Uint8Array, length: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value.toString(36).padStart(length, '0');
}
