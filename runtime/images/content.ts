import { createHash } from 'node:crypto';
import { OrchError } from '../../model/errors.ts';

/** `sha256:` and the digest of `bytes` in hexadecimal. */
export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const digestPattern = /^sha256:[a-f0-9]{64}$/;

export const isDigest = (text: string): boolean => digestPattern.test(text);

/** The hexadecimal part of a digest. */
export const hexOf = (digest: string): string => digest.slice('sha256:'.length);

/** The first 12 hexadecimal digits, as people see ids. */
export const shortDigest = (digest: string): string => hexOf(digest).slice(0, 12);

/** Turns a full disk into ORCH_NO_SPACE; any other error comes back as it is. */
export function spaceError(error: unknown, what: string): unknown {
  const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return full ? new OrchError('ORCH_NO_SPACE', `${what}: the disk is full`, { cause: error, hint: 'Remove images that are not needed' }) : error;
}
