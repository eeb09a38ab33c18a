import { OrchError } from '../../model/errors.ts';
import { shortDigest } from './content.ts';
import type { Found } from './image-lookup.ts';
import type { StoreState } from './store-state.ts';

/** What goes: names of both kinds, and whether the image itself goes. */
export type Removal = { readonly untagged: readonly string[]; readonly deletesImage: boolean };

export type RemovalRequest = {
  readonly found: Found;
  readonly force: boolean;
  /** Containers that use the image's layers. */
  readonly users: readonly string[];
};

/**
 * Pure: what Docker's `rmi` would do. A name goes alone while others remain; the last one takes the image along.
 * Throws ORCH_IN_USE when the image would go while in use (with `force`, its names go and the image stays), and ORCH_CONFLICT when an id is given that has several tags.
 */
export function planRemoval(state: StoreState, { found, force, users }: RemovalRequest): Removal {
  const tags = namesOf(state.tags, found.id);
  const repoDigests = namesOf(state.repoDigests, found.id);
  const untagged = found.by === 'id' ? [...tags, ...repoDigests] : namesGoingWith(found, tags, repoDigests);
  if (found.by === 'id' && tags.length > 1 && !force) {
    throw new OrchError('ORCH_CONFLICT', `Image ${shortDigest(found.id)} has ${tags.length} tags: ${tags.join(', ')}`, { hint: 'Remove the tags one by one, or use --force' });
  }
  if (untagged.length < tags.length + repoDigests.length) return { untagged, deletesImage: false };
  if (users.length === 0) return { untagged, deletesImage: true };
  if (force && untagged.length > 0) return { untagged, deletesImage: false };
  const name = found.by === 'id' ? shortDigest(found.id) : found.name;
  throw new OrchError('ORCH_IN_USE', `Image ${name} is used by container ${users.map((user) => user.slice(0, 12)).join(', ')}`, { hint: 'Remove the container first' });
}

/** A repository's last tag takes its repo digests along: without a tag nobody looks for them. */
function namesGoingWith(found: Exclude<Found, { by: 'id' }>, tags: readonly string[], repoDigests: readonly string[]): string[] {
  if (found.by === 'repo-digest') return [found.name];
  const repository = repositoryOf(found.name);
  const remaining = tags.some((tag) => tag !== found.name && repositoryOf(tag) === repository);
  return [found.name, ...remaining ? [] : repoDigests.filter((name) => repositoryOf(name) === repository)];
}

/** The name without tag or digest. */
function repositoryOf(name: string): string {
  const at = name.indexOf('@');
  return at >= 0 ? name.slice(0, at) : name.slice(0, name.lastIndexOf(':'));
}

const namesOf = (names: ReadonlyMap<string, string>, id: string): string[] => [...names].filter(([, named]) => named === id).map(([name]) => name).sort();
