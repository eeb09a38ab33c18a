import { isOrchError, OrchError } from '../../model/errors.ts';
import type { Image } from '../../model/image.ts';
import { familiarName, parseImageReference } from '../../model/image-reference.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import type { ImageDocument } from './image-document.ts';
import type { StoreState } from './store-state.ts';

/** What a text a user wrote has led to. */
export type Found =
  | { readonly by: 'tag' | 'repo-digest'; readonly name: string; readonly id: string }
  | { readonly by: 'id'; readonly id: string };

/** The key of a reference among the tags: familiar name and tag. */
export const tagName = (reference: ImageReference): string => `${familiarName(reference)}:${reference.tag ?? 'latest'}`;

/** The key of a manifest digest among the repo digests. */
export const repoDigestName = (reference: ImageReference, digest: string): string => `${familiarName(reference)}@${digest}`;

/** Pure: what `text` names, names before id prefixes as Docker has it; undefined when nothing. Throws ORCH_INVALID when an id prefix fits several images. */
export function lookUp(state: StoreState, text: string): Found | undefined {
  const reference = readReference(text);
  if (reference !== undefined) {
    const byDigest = reference.digest !== undefined;
    const name = byDigest ? repoDigestName(reference, reference.digest) : tagName(reference);
    const id = byDigest ? state.repoDigests.get(name) : state.tags.get(name);
    if (id !== undefined) return { by: byDigest ? 'repo-digest' : 'tag', name, id };
  }
  const prefix = /^(?:sha256:)?([a-f0-9]{1,64})$/.exec(text)?.[1];
  if (prefix === undefined) return undefined;
  const ids = [...state.images.keys()].filter((id) => id.startsWith(`sha256:${prefix}`));
  if (ids.length > 1) throw new OrchError('ORCH_INVALID', `"${text}" fits ${ids.length} images`, { hint: 'Write more digits of the id' });
  return ids[0] === undefined ? undefined : { by: 'id', id: ids[0] };
}

function readReference(text: string): ImageReference | undefined {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (isOrchError(error, 'ORCH_INVALID')) return undefined;
    throw error;
  }
}

/** Pure: the images of a state, newest first. `documents` has the configuration of each. */
export function describeImages(state: StoreState, documents: ReadonlyMap<string, ImageDocument>): Image[] {
  const tags = namesById(state.tags);
  const repoDigests = namesById(state.repoDigests);
  const images: Image[] = [];
  for (const id of state.images.keys()) {
    const document = documents.get(id);
    if (document === undefined) continue;
    const { createdAtMs, config, diffIds, history } = document;
    const sizeBytes = diffIds.reduce((sum, diffId) => sum + (state.layers.get(diffId)?.sizeBytes ?? 0), 0);
    images.push({
      id, tags: tags.get(id) ?? [], repoDigests: repoDigests.get(id) ?? [],
      platform: { os: document.platform.os, arch: document.platform.arch }, createdAtMs, sizeBytes, config, diffIds, history,
    });
  }
  return images.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : 1));
}

function namesById(names: ReadonlyMap<string, string>): Map<string, string[]> {
  const byId = new Map<string, string[]>();
  for (const [name, id] of names) byId.set(id, [...byId.get(id) ?? [], name].sort());
  return byId;
}
