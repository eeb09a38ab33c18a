import { OrchError } from '../../model/errors.ts';
import { familiarName, formatImageReference, parseImageReference } from '../../model/image-reference.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import type { Image } from '../../model/image.ts';
import { dockerHistory, dockerImage, dockerImageSummary } from '../convert/image.ts';
import type { NodeEngine } from '../node-engine.ts';
import { passes, passesLabels } from '../query.ts';
import type { Filters } from '../query.ts';
import { param } from '../route.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';

export const imageRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/images/json', answer: listImages },
  { method: 'GET', path: '/images/{name}/json', answer: inspectImage },
  { method: 'GET', path: '/images/{name}/history', answer: async ({ engine }, call) => dockerHistory(findImage(engine, param(call, 'name'))) },
  { method: 'POST', path: '/images/{name}/tag', answer: tagImage },
  { method: 'DELETE', path: '/images/{name}', answer: removeImage },
];

function findImage(engine: NodeEngine, reference: string): Image {
  const image = engine.images.find(reference);
  if (image) return image;
  throw new OrchError('ORCH_NOT_FOUND', `No such image: ${reference}`);
}

async function listImages({ engine }: ApiContext, call: Call): Promise<unknown> {
  const filters = call.query.filters(['before', 'dangling', 'label', 'reference', 'since'], ['until']);
  for (const name of ['manifests', 'shared-size']) {
    if (call.query.flag(name)) throw new OrchError('ORCH_UNSUPPORTED', `orch does not support the query parameter ${name} of the list of images`);
  }
  const users = new Map<string, number>();
  for (const { imageId } of engine.containers.list()) users.set(imageId, (users.get(imageId) ?? 0) + 1);
  const patterns = filters.get('reference') ?? [];
  return engine.images.list().filter(imageFilter(engine, filters)).map((image) => withTagsLike(image, patterns)).toSorted((a, b) => b.createdAtMs - a.createdAtMs)
    .map((image) => dockerImageSummary(image, users.get(image.id) ?? 0));
}

function imageFilter(engine: NodeEngine, filters: Filters): (image: Image) => boolean {
  const [before, since] = ['before', 'since'].map((name) => (filters.get(name) ?? []).map((reference) => findImage(engine, reference).createdAtMs));
  return (image) =>
    passes(filters, 'dangling', (wanted) => (image.tags.length === 0) === !['0', 'false'].includes(wanted))
    && passes(filters, 'reference', (pattern) => image.tags.some((tag) => matchesReference(tag, pattern)))
    && (before ?? []).every((atMs) => image.createdAtMs < atMs) && (since ?? []).every((atMs) => image.createdAtMs > atMs)
    && passesLabels(filters, 'label', image.config.labels);
}

/** The image with only those of its names that were asked for, as Docker lists it. */
const withTagsLike = (image: Image, patterns: readonly string[]): Image =>
  patterns.length === 0 ? image : { ...image, tags: image.tags.filter((tag) => patterns.some((pattern) => matchesReference(tag, pattern))) };

/** Docker's pattern: `*` and `?` within one part of the path, with or without the tag. */
function matchesReference(tag: string, pattern: string): boolean {
  const source = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '[^/]*').replaceAll('?', '[^/]');
  const expression = new RegExp(`^${source}$`);
  return expression.test(tag) || expression.test(familiarName(parseImageReference(tag)));
}

async function inspectImage({ engine }: ApiContext, call: Call): Promise<unknown> {
  if (call.query.flag('manifests') || call.query.text('platform')) throw new OrchError('ORCH_UNSUPPORTED', 'orch keeps one platform of an image and cannot choose among several', { hint: 'Leave out the query parameters manifests and platform' });
  return dockerImage(findImage(engine, param(call, 'name')));
}

async function tagImage(context: ApiContext, call: Call): Promise<unknown> {
  const reference = readRepoTag(call);
  if (!reference) throw new OrchError('ORCH_INVALID', 'The query parameter repo must name the new image');
  const image = findImage(context.engine, param(call, 'name'));
  await context.engine.images.tag(image.id, reference);
  publishImageEvent(context, 'tag', { id: image.id, name: formatImageReference(reference) });
  call.reply.code(201);
  return undefined;
}

/** The image that `repo` and `tag` of the query name; undefined without `repo`. Throws ORCH_INVALID. */
export function readRepoTag(call: Call): ImageReference | undefined {
  const repo = call.query.text('repo');
  const tag = call.query.text('tag');
  if (repo === undefined) return undefined;
  return parseImageReference(tag === undefined ? repo : `${repo}:${tag}`);
}

async function removeImage(context: ApiContext, call: Call): Promise<unknown> {
  if (call.query.text('platforms')) throw new OrchError('ORCH_UNSUPPORTED', 'orch keeps one platform of an image and cannot remove only some', { hint: 'Leave out the query parameter platforms' });
  const name = param(call, 'name');
  findImage(context.engine, name);
  const { untagged, deleted } = await context.engine.images.remove(name, { force: call.query.flag('force') });
  for (const tag of untagged) publishImageEvent(context, 'untag', { id: tag, name: tag });
  for (const id of deleted) publishImageEvent(context, 'delete', { id, name: id });
  return [...untagged.map((tag) => ({ Untagged: tag })), ...deleted.map((id) => ({ Deleted: id }))];
}

/** Tells the readers of events what happened to an image through this API. */
export function publishImageEvent({ events, clock }: ApiContext, action: 'delete' | 'import' | 'load' | 'pull' | 'tag' | 'untag', { id, name }: { id: string; name: string }): void {
  events.publish({ type: 'image', action, id, attributes: { name }, scope: 'local', atMs: clock.now() });
}
