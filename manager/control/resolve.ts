import { OrchError } from '../../model/errors.ts';
import type { Meta } from '../../model/meta.ts';

export type Lookup<T extends Meta> = {
  /** How sentences name the kind: `Service`. */
  readonly label: string;
  get(id: string): T | undefined;
  list(): Iterable<T>;
  /** Names an object goes by besides its id; not unique. */
  names(object: T): readonly (string | undefined)[];
};

/** The one object that `reference` means: by id, else by name, else by the beginning of its id. Throws ORCH_NOT_FOUND, or ORCH_INVALID listing them when it means several. */
export function resolveReference<T extends Meta>(lookup: Lookup<T>, reference: string): T {
  const { label } = lookup;
  const exact = lookup.get(reference);
  if (exact) return exact;
  const all = reference === '' ? [] : [...lookup.list()];
  const named = all.filter((object) => lookup.names(object).includes(reference));
  const found = named.length > 0 ? named : all.filter((object) => object.id.startsWith(reference));
  const [first, second] = found;
  if (!first) throw new OrchError('ORCH_NOT_FOUND', `${label} "${reference}" does not exist`, { details: { reference } });
  if (!second) return first;
  const ids = found.map((object) => object.id).toSorted();
  throw new OrchError('ORCH_INVALID', `${label} "${reference}" means ${ids.length} of them: ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''}`, { hint: 'Use the full id', details: { reference } });
}
