import type { Kind } from './store.ts';

/** All objects live under this prefix. */
export const OBJECT_PREFIX = 'object/';

/** Where an object is stored. */
export const objectKey = (kind: Kind, id: string): string => `${OBJECT_PREFIX}${kind}/${id}`;

/** The key of a unique index's entry, such as `name/service/web`; its absence is the condition for taking the name, its value the owner's id. */
export const uniqueKey = (kind: Kind, index: string, value: string): string => `${index}/${kind}/${encodeURIComponent(value)}`;

/** Kind and id of an object's key; undefined for any other key. The kind is as written: it may be unknown to this program. */
export function parseObjectKey(key: string): { kind: string; id: string } | undefined {
  if (!key.startsWith(OBJECT_PREFIX)) return undefined;
  const slash = key.indexOf('/', OBJECT_PREFIX.length);
  return slash < 0 ? undefined : { kind: key.slice(OBJECT_PREFIX.length, slash), id: key.slice(slash + 1) };
}
