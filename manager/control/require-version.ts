import { OrchError } from '../../model/errors.ts';
import type { Meta } from '../../model/meta.ts';

/** Throws ORCH_CONFLICT when the caller has not seen the object as it now is. */
export function requireVersion(kindAndName: string, stored: Meta, version: number): void {
  if (stored.version === version) return;
  throw new OrchError('ORCH_CONFLICT', `${kindAndName} has changed since version ${version} was read: it is at version ${stored.version}`, {
    hint: 'Read it again and repeat the change', details: { id: stored.id, version, storedVersion: stored.version },
  });
}
