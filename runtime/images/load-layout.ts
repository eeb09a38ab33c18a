import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, readTextIfExists } from '../../base/files.ts';
import { isOrchError, OrchError } from '../../model/errors.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import { describeManifestImage, keepBlob, keepDocument, unpackLayers } from './assemble-image.ts';
import type { Assembly } from './assemble-image.ts';
import { writeHashed } from './blob-writer.ts';
import type { WrittenFile } from './blob-writer.ts';
import { digestOf, hexOf, shortDigest } from './content.ts';
import type { NewImage } from './image-ledger.ts';
import { tagName } from './image-lookup.ts';
import { parseManifest } from './oci-documents.ts';
import type { Descriptor, ImageManifest } from './oci-documents.ts';
import { choosePlatform, formatPlatform, listPlatforms } from './platform-match.ts';
import type { WantedPlatform } from './platform-match.ts';

/** The files of an OCI layout, by their names in it; `file` gives one of our own to keep. Both give undefined when there is none. */
export type LayoutFiles = {
  text(name: string): Promise<string | undefined>;
  file(name: string): Promise<WrittenFile | undefined>;
};

const MAX_DEPTH = 3;
/** Full name of an image; containerd and Docker write it. */
const NAME_ANNOTATION = 'io.containerd.image.name';
/** By the specification only a tag, but some tools write a full name. */
const REF_ANNOTATION = 'org.opencontainers.image.ref.name';

/** Prepares the images of an OCI layout directory, which stays as it is. */
export async function loadLayoutDirectory(assembly: Assembly, directory: string, platform: WantedPlatform): Promise<NewImage[]> {
  const copies = assembly.content.temporaryPath();
  await mkdir(copies);
  let copied = 0;
  try {
    return await loadLayout(assembly, platform, {
      text: (name) => readTextIfExists(join(directory, name)),
      async file(name) {
        copied += 1;
        return await copyIfExists(join(directory, name), join(copies, String(copied)));
      },
    });
  } finally {
    await rm(copies, { recursive: true, force: true });
  }
}

async function copyIfExists(from: string, to: string): Promise<WrittenFile | undefined> {
  try {
    return await writeHashed(to, createReadStream(from), `${from} cannot be copied`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Prepares the images that the index of a layout names: of each name the one for this platform. Throws ORCH_CORRUPT when a blob is missing or not what its digest says, ORCH_NOT_FOUND when nothing is for the platform. */
export async function loadLayout(assembly: Assembly, platform: WantedPlatform, files: LayoutFiles): Promise<NewImage[]> {
  const text = await files.text('index.json');
  if (text === undefined) throw new OrchError('ORCH_CORRUPT', 'The OCI layout has no index.json');
  const index = parseManifest(text, 'application/vnd.oci.image.index.v1+json', 'index.json');
  if (index.kind !== 'index') throw new OrchError('ORCH_CORRUPT', 'index.json of the OCI layout is no image index');
  const byName = Map.groupBy(index.manifests, imageName);
  const images: NewImage[] = [];
  for (const [name, descriptors] of byName) {
    const chosen = descriptors.length > 1 && descriptors.some((descriptor) => descriptor.platform) ? [choose(descriptors, platform, name ?? 'the OCI layout')] : descriptors;
    for (const descriptor of chosen) images.push(await loadImage({ assembly, platform, files }, descriptor, name));
  }
  return images;
}

type Loading = { readonly assembly: Assembly; readonly platform: WantedPlatform; readonly files: LayoutFiles };

async function loadImage(loading: Loading, descriptor: Descriptor, name: string | undefined): Promise<NewImage> {
  const { assembly, files } = loading;
  const what = name ?? `image ${shortDigest(descriptor.digest)}`;
  const { manifest, text } = await resolve(loading, descriptor, what);
  for (const part of [manifest.config, ...manifest.layers]) {
    const file = await files.file(blobName(part.digest));
    if (file === undefined) throw new OrchError('ORCH_CORRUPT', `The OCI layout has no blob ${part.digest} of ${what}`);
    if (file.digest !== part.digest) throw new OrchError('ORCH_CORRUPT', `The blob ${part.digest} of ${what} in the OCI layout has the digest ${file.digest}`);
    await keepBlob(assembly, file);
  }
  const manifestDigest = await keepDocument(assembly, text);
  const image = await describeManifestImage(assembly.content, manifest, { manifestDigest, tags: name === undefined ? [] : [name], repoDigests: [], what });
  await unpackLayers(assembly, { diffIds: image.document.diffIds, layers: manifest.layers.map(({ digest }) => digest), what });
  return image;
}

/** The manifest that `descriptor` leads to, through indexes. */
async function resolve({ files, platform }: Loading, descriptor: Descriptor, what: string): Promise<{ manifest: ImageManifest; text: string }> {
  let current = descriptor;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const text = await files.text(blobName(current.digest));
    if (text === undefined) throw new OrchError('ORCH_CORRUPT', `The OCI layout has no blob ${current.digest} of ${what}`);
    const digest = digestOf(Buffer.from(text));
    if (digest !== current.digest) throw new OrchError('ORCH_CORRUPT', `The blob ${current.digest} of ${what} in the OCI layout has the digest ${digest}`);
    const document = parseManifest(text, current.mediaType, `The manifest of ${what}`);
    if (document.kind === 'manifest') return { manifest: document, text };
    current = choose(document.manifests, platform, what);
  }
  throw new OrchError('ORCH_CORRUPT', `The indexes of ${what} are nested more than ${MAX_DEPTH} deep`);
}

function choose(descriptors: readonly Descriptor[], platform: WantedPlatform, what: string): Descriptor {
  const chosen = choosePlatform(descriptors, platform) ?? (descriptors.length === 1 ? descriptors[0] : undefined);
  if (chosen !== undefined) return chosen;
  throw new OrchError('ORCH_NOT_FOUND', `There is no ${formatPlatform(platform)} image in ${what}, only ${listPlatforms(descriptors).join(', ')}`);
}

/** The tag that the index gives an image; undefined when it gives no full name. */
function imageName({ annotations }: Descriptor): string | undefined {
  const text = annotations[NAME_ANNOTATION] ?? annotations[REF_ANNOTATION] ?? '';
  if (!/[:/]/.test(text)) return undefined;
  try {
    return tagName(parseImageReference(text));
  } catch (error) {
    if (isOrchError(error, 'ORCH_INVALID')) return undefined; // an annotation may be anything
    throw error;
  }
}

const blobName = (digest: string): string => `blobs/sha256/${hexOf(digest)}`;
