import type { Semaphore } from '../../base/semaphore.ts';
import { OrchError } from '../../model/errors.ts';
import type { PullOptions } from '../../model/image-pull.ts';
import { formatImageReference } from '../../model/image-reference.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import { downloadBlob } from '../registry/download-blob.ts';
import { readRegistryCertificates } from '../registry/registry-certificates.ts';
import { RegistryClient } from '../registry/registry-client.ts';
import type { FetchedManifest, RegistryOptions } from '../registry/registry-client.ts';
import { describeManifestImage, keepDocument, unpackLayerBlob } from './assemble-image.ts';
import type { Assembly } from './assemble-image.ts';
import { shortDigest } from './content.ts';
import type { ImageDocument } from './image-document.ts';
import type { NewImage } from './image-ledger.ts';
import { repoDigestName, tagName } from './image-lookup.ts';
import { parseManifest } from './oci-documents.ts';
import type { Descriptor, ImageManifest } from './oci-documents.ts';
import { choosePlatform, formatPlatform, listPlatforms, runsOn } from './platform-match.ts';
import type { WantedPlatform } from './platform-match.ts';
import type { SharedWork } from './shared-work.ts';

export type PullContext = {
  readonly assembly: Assembly;
  readonly registry: RegistryOptions;
  /** Certificates by registry, see `readRegistryCertificates`. */
  readonly certificatesDir: string | undefined;
  /** Downloads under way, by digest. */
  readonly downloads: SharedWork<void, number>;
  /** Limits how many layers are downloaded at once. */
  readonly slots: Semaphore;
  readonly platform: WantedPlatform;
  readonly reference: ImageReference;
  readonly options: PullOptions;
};

const MAX_DEPTH = 3;

/** Prepares an image from its registry: manifest for the platform, configuration, and the layers that are not here yet, side by side. */
export async function pullImage(context: PullContext): Promise<NewImage> {
  const { assembly, reference, platform } = context;
  const what = formatImageReference(reference);
  const { onProgress, signal, auth } = context.options;
  const tls = context.certificatesDir === undefined ? undefined : await readRegistryCertificates(context.certificatesDir, reference.domain);
  using client = new RegistryClient(reference, { ...context.registry, auth, tls });
  onProgress?.({ layer: reference.digest ?? reference.tag ?? '', status: `Pulling from ${reference.path}` });
  const top = await client.fetchManifest(reference.digest ?? reference.tag ?? 'latest', signal);
  const { fetched, manifest } = await resolvePlatform(context, client, top);
  const pull: LayerPull = { context, client, what };
  await fetchBlob(pull, { blob: manifest.config, signal });
  const manifestDigest = await keepDocument(assembly, fetched.text);
  const names = { manifestDigest, what, tags: reference.digest === undefined ? [tagName(reference)] : [], repoDigests: [repoDigestName(reference, top.digest)] };
  const image = await describeManifestImage(assembly.content, manifest, names);
  requirePlatform(image.document, platform, what);
  await fetchLayers(pull, manifest, image.document.diffIds);
  return image;
}

/** From what the reference names to the manifest of one image, through indexes. */
async function resolvePlatform({ reference, platform, options: { signal } }: PullContext, client: RegistryClient, top: FetchedManifest): Promise<{ fetched: FetchedManifest; manifest: ImageManifest }> {
  const what = formatImageReference(reference);
  let fetched = top;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const document = parseManifest(fetched.text, fetched.mediaType, `The manifest of "${what}"`);
    if (document.kind === 'manifest') return { fetched, manifest: document };
    const chosen = choosePlatform(document.manifests, platform);
    if (chosen === undefined) {
      throw new OrchError('ORCH_NOT_FOUND', `There is no ${formatPlatform(platform)} image of "${what}", only ${listPlatforms(document.manifests).join(', ') || 'images without a platform'}`);
    }
    fetched = await client.fetchManifest(chosen.digest, signal);
  }
  throw new OrchError('ORCH_CORRUPT', `The indexes of "${what}" are nested more than ${MAX_DEPTH} deep`);
}

function requirePlatform({ platform }: ImageDocument, wanted: WantedPlatform, what: string): void {
  if (runsOn(platform, wanted)) return;
  throw new OrchError('ORCH_NOT_FOUND', `There is no ${formatPlatform(wanted)} image of "${what}", only ${formatPlatform(platform)}`);
}

type LayerPull = { readonly context: PullContext; readonly client: RegistryClient; readonly what: string };

async function fetchLayers(pull: LayerPull, { layers }: ImageManifest, diffIds: readonly string[]): Promise<void> {
  if (layers.length !== diffIds.length) throw new OrchError('ORCH_CORRUPT', `The manifest of "${pull.what}" has ${layers.length} layers, but its configuration names ${diffIds.length}`);
  const { onProgress, signal } = pull.context.options;
  for (const { digest } of layers) onProgress?.({ layer: shortDigest(digest), status: 'Pulling fs layer' });
  // The first failure ends the others, and all have ended before it is told, so that nothing is written afterwards.
  const failed = new AbortController();
  const linked = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const results = await Promise.allSettled(layers.map(async (layer, index) => {
    try {
      await fetchLayer(pull, { layer, diffId: diffIds[index] ?? '', signal: linked });
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  }));
  linked.throwIfAborted();
  const rejected = results.find((result) => result.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
}

async function fetchLayer(pull: LayerPull, { layer, diffId, signal }: { readonly layer: Descriptor; readonly diffId: string; readonly signal: AbortSignal }): Promise<void> {
  const { assembly, options: { onProgress } } = pull.context;
  const { content, hold } = assembly;
  const id = shortDigest(layer.digest);
  hold.keep(diffId);
  if (content.layer(diffId) !== undefined) {
    onProgress?.({ layer: id, status: 'Already exists' });
    return;
  }
  await fetchBlob(pull, {
    blob: layer, signal, slots: pull.context.slots,
    onProgress: (currentBytes) => onProgress?.({ layer: id, status: 'Downloading', currentBytes, totalBytes: layer.sizeBytes }),
  });
  onProgress?.({ layer: id, status: 'Download complete' });
  await unpackLayerBlob({ ...assembly, signal }, { diffId, digest: layer.digest, what: `"${pull.what}"` });
  onProgress?.({ layer: id, status: 'Pull complete' });
}

type BlobFetch = {
  readonly blob: Descriptor;
  readonly signal: AbortSignal | undefined;
  /** Where the download waits for its turn. */
  readonly slots?: Semaphore;
  readonly onProgress?: (currentBytes: number) => void;
};

/** Downloads a blob unless it is here; shared with other pulls that need it at the same time. */
async function fetchBlob({ context, client, what }: LayerPull, { blob: { digest, sizeBytes }, signal, slots, onProgress }: BlobFetch): Promise<void> {
  const { assembly: { content, hold }, downloads } = context;
  hold.keep(digest);
  if (await content.blobSize(digest) === sizeBytes) return;
  await downloads.run(digest, async (workSignal, onBytes) => {
    const download = async (): Promise<void> => {
      const path = content.temporaryPath();
      await downloadBlob({ client, digest, sizeBytes, path, what, signal: workSignal, onProgress: onBytes });
      await content.adoptBlob({ path, digest, sizeBytes });
    };
    await (slots === undefined ? download() : slots.run(download, workSignal));
  }, { signal, onProgress });
}
