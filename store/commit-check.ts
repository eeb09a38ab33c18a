import { OrchError } from '../model/errors.ts';
import type { Condition, Operation } from './backend.ts';

/** Keys are ASCII without spaces, so that their order is the same in every backend. */
const keyPattern = /^[\x21-\x7e]+$/;

/** Rejects (ORCH_INVALID) what no backend may see: a key twice, a key that is not printable ASCII, text that would not survive UTF-8. */
export function checkCommit(operations: readonly Operation[], conditions: readonly Condition[]): void {
  for (const { key, value } of operations) {
    checkKey(key);
    if (value !== undefined && (value.includes('\0') || !value.isWellFormed())) throw new OrchError('ORCH_INVALID', `The value of key "${key}" is not well-formed text`);
  }
  for (const { key } of conditions) checkKey(key);
  if (operations.length < 2) return;
  const seen = new Set<string>();
  for (const { key } of operations) {
    if (seen.has(key)) throw new OrchError('ORCH_INVALID', `Key "${key}" occurs twice in one commit`);
    seen.add(key);
  }
}

function checkKey(key: string): void {
  if (!keyPattern.test(key)) throw new OrchError('ORCH_INVALID', `Key ${JSON.stringify(key)} is not printable ASCII`);
}

/** Sorts after every key that starts with `prefix`. */
export const prefixEnd = (prefix: string): string => `${prefix}\x7f`;

/** What a reader of forgotten history gets. */
export const compactedError = (revision: number, compacted: number): OrchError =>
  new OrchError('ORCH_CONFLICT', `Revision ${revision} is compacted: history begins after revision ${compacted}`, { hint: 'List again and continue from the revision of that list', details: { revision, compacted } });

/** What every call on a closed backend or store gets. */
export const closedError = (): OrchError => new OrchError('ORCH_UNREACHABLE', 'The store is closed');
