import { OrchError } from '../../model/errors.ts';
import { familiarName, formatImageReference, parseImageReference } from '../../model/image-reference.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import type { PullProgress } from '../../model/image-pull.ts';
import { parsePlatform } from '../convert/platform.ts';
import { withoutUndefined } from '../convert/without-undefined.ts';
import { progressLine, streamProgress } from '../progress-lines.ts';
import { readRegistryAuth } from '../registry-auth.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';
import { publishImageEvent, readRepoTag } from './images.ts';

export const imageCreateRoutes: readonly ApiRoute[] = [
  { method: 'POST', path: '/images/create', answer: createImage },
  { method: 'POST', path: '/images/load', answer: loadImages },
];

async function createImage(context: ApiContext, call: Call): Promise<void> {
  const fromImage = call.query.text('fromImage');
  const fromSrc = call.query.text('fromSrc');
  if (fromImage !== undefined) return pullImage(context, call, pulledReference(fromImage, call.query.text('tag')));
  if (fromSrc === '-') return importImage(context, call);
  if (fromSrc !== undefined) throw new OrchError('ORCH_UNSUPPORTED', `orch does not fetch "${fromSrc}" to import it`, { hint: 'Fetch it yourself and send it as the body with fromSrc=-' });
  throw new OrchError('ORCH_INVALID', 'The query must have fromImage, or fromSrc=- and a body');
}

/** `tag` wins over a tag in the name, but not over a digest, as in Docker; without either it is `latest`. */
function pulledReference(name: string, tag: string | undefined): ImageReference {
  const reference = parseImageReference(name);
  if (tag === undefined || reference.digest !== undefined) return reference;
  return parseImageReference(`${familiarName(reference)}${tag.includes(':') ? '@' : ':'}${tag}`);
}

async function pullImage(context: ApiContext, call: Call, reference: ImageReference): Promise<void> {
  const { engine } = context;
  const platformText = call.query.text('platform');
  const auth = readRegistryAuth(call.request.headers['x-registry-auth']);
  const platform = platformText === undefined ? undefined : parsePlatform(platformText, engine.description().platform);
  const name = formatImageReference(reference);
  const before = engine.images.find(name)?.id;
  await streamProgress(context, call, async (report) => {
    const image = await engine.images.pull(reference, withoutUndefined({
      auth, platform, signal: call.signal,
      onProgress(progress: PullProgress) {
        const { line, key } = progressLine(progress);
        report(line, key);
      },
    }));
    publishImageEvent(context, 'pull', { id: name, name });
    const digest = image.repoDigests.find((repoDigest) => repoDigest.startsWith(`${familiarName(reference)}@`))?.split('@')[1];
    if (digest !== undefined) report({ status: `Digest: ${digest}` });
    report({ status: `Status: ${image.id === before ? 'Image is up to date' : 'Downloaded newer image'} for ${name}` });
  });
}

async function importImage(context: ApiContext, call: Call): Promise<void> {
  const { engine } = context;
  const tag = readRepoTag(call);
  const own = engine.description().platform;
  const platform = parsePlatform(call.query.text('platform') ?? '', own);
  if (platform.os !== own.os || platform.arch !== own.arch) throw new OrchError('ORCH_UNSUPPORTED', `orch imports images only for the platform of the node, ${own.os}/${own.arch}, not ${platform.os}/${platform.arch}`);
  const changes = call.query.texts('changes');
  await streamProgress(context, call, async (report) => {
    const image = await engine.images.importRoot(call.request.raw, withoutUndefined({ tag, message: call.query.text('message'), changes: changes.length === 0 ? undefined : changes }));
    publishImageEvent(context, 'import', { id: image.id, name: tag ? formatImageReference(tag) : image.id });
    report({ status: image.id });
  });
}

async function loadImages(context: ApiContext, call: Call): Promise<void> {
  if (call.query.text('platform')) throw new OrchError('ORCH_UNSUPPORTED', 'orch loads the platform of the node and cannot choose another', { hint: 'Leave out the query parameter platform' });
  const isQuiet = call.query.flag('quiet');
  await streamProgress(context, call, async (report) => {
    const images = await context.engine.images.load(call.request.raw, (progress) => {
      const { line, key } = progressLine(progress);
      if (!isQuiet) report(line, key);
    });
    for (const image of images) {
      publishImageEvent(context, 'load', { id: image.id, name: image.tags[0] ?? image.id });
      for (const name of image.tags) report({ stream: `Loaded image: ${name}\n` });
      if (image.tags.length === 0) report({ stream: `Loaded image ID: ${image.id}\n` });
    }
  });
}
