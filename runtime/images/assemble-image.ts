import { open, writeFile } from 'node:fs/promises';
import { isOrchError, OrchError } from '../../model/errors.ts';
import type { PullProgress } from '../../model/image-pull.ts';
import type { WrittenFile } from './blob-writer.ts';
import type { ContentHold } from './content-hold.ts';
import type { ContentStore } from './content-store.ts';
import { digestOf, shortDigest, spaceError } from './content.ts';
import { compressionOf } from './decompress.ts';
import { parseImageDocument } from './image-document.ts';
import type { NewImage } from './image-ledger.ts';
import { formatManifest, MEDIA } from './oci-documents.ts';
import type { Descriptor, ImageManifest } from './oci-documents.ts';
import { blobPath } from './store-paths.ts';

export type Assembly = {
  readonly content: ContentStore;
  readonly hold: ContentHold;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Makes a finished file a blob that is held; a blob already here is kept and the file left to its owner. */
export async function keepBlob({ content, hold }: Assembly, file: WrittenFile): Promise<void> {
  hold.keep(file.digest);
  if (await content.blobSize(file.digest) === undefined) await content.adoptBlob(file);
}

/** Makes a document a blob that is held; returns its digest. */
export async function keepDocument(assembly: Assembly, text: string): Promise<string> {
  const bytes = Buffer.from(text);
  const path = assembly.content.temporaryPath();
  try {
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw spaceError(error, 'An image document cannot be written');
  }
  const digest = digestOf(bytes);
  await keepBlob(assembly, { path, digest, sizeBytes: bytes.length });
  return digest;
}

/** Unpacks the layers of an image from archives that are blobs here; `layers` has one digest for each diff id. Throws ORCH_CORRUPT naming `what` and the layer. */
export async function unpackLayers(assembly: Assembly, image: { readonly diffIds: readonly string[]; readonly layers: readonly string[]; readonly what: string }): Promise<void> {
  if (image.layers.length !== image.diffIds.length) {
    throw new OrchError('ORCH_CORRUPT', `${image.what} has ${image.layers.length} layers, but its configuration names ${image.diffIds.length}`);
  }
  for (const [index, diffId] of image.diffIds.entries()) {
    await unpackLayerBlob(assembly, { diffId, digest: image.layers[index] ?? '', what: image.what });
  }
}

/** Unpacks one layer from its blob, unless that diff id is here already. */
export async function unpackLayerBlob({ content, hold, onProgress, signal }: Assembly, layer: { readonly diffId: string; readonly digest: string; readonly what: string }): Promise<void> {
  hold.keep(layer.diffId);
  const id = shortDigest(layer.digest);
  const totalBytes = await content.blobSize(layer.digest) ?? 0;
  onProgress?.({ layer: id, status: 'Extracting', currentBytes: 0, totalBytes });
  try {
    await content.ensureLayer(layer.diffId, blobPath(content.paths, layer.digest), {
      signal, onProgress: (currentBytes) => onProgress?.({ layer: id, status: 'Extracting', currentBytes, totalBytes }),
    });
  } catch (error) {
    if (!isOrchError(error)) throw error;
    throw new OrchError(error.code, `Layer ${id} of ${layer.what} cannot be unpacked: ${error.message}`, { hint: error.hint, details: error.details, cause: error });
  }
  onProgress?.({ layer: id, status: 'Extracting', currentBytes: totalBytes, totalBytes });
}

/** An image of a configuration and layers that are blobs here, with a manifest of our own. */
export async function describeNewImage(assembly: Assembly, parts: { readonly config: WrittenFile; readonly layers: readonly WrittenFile[]; readonly tags: readonly string[]; readonly what: string }): Promise<NewImage> {
  const { content } = assembly;
  const document = parseImageDocument(await content.readDocument(parts.config.digest), `The configuration of ${parts.what}`);
  const descriptor = (mediaType: string, { digest, sizeBytes }: WrittenFile): Descriptor => ({ mediaType, digest, sizeBytes, annotations: {} });
  const layers = await Promise.all(parts.layers.map(async (layer) => descriptor(await layerMediaType(blobPath(content.paths, layer.digest)), layer)));
  const manifest = await keepDocument(assembly, formatManifest({ config: descriptor(MEDIA.ociConfig, parts.config), layers }));
  return { id: parts.config.digest, document, tags: parts.tags, repoDigests: [], stored: { manifest, blobs: [manifest, parts.config.digest, ...parts.layers.map(({ digest }) => digest)] } };
}

/** An image of a manifest that came with its blobs. */
export async function describeManifestImage(content: ContentStore, manifest: ImageManifest, names: { readonly manifestDigest: string; readonly tags: readonly string[]; readonly repoDigests: readonly string[]; readonly what: string }): Promise<NewImage> {
  const id = manifest.config.digest;
  const document = parseImageDocument(await content.readDocument(id), `The configuration of ${names.what}`);
  const blobs = [names.manifestDigest, id, ...manifest.layers.map(({ digest }) => digest)];
  return { id, document, tags: names.tags, repoDigests: names.repoDigests, stored: { manifest: names.manifestDigest, blobs } };
}

async function layerMediaType(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
  const compression = compressionOf(buffer.subarray(0, bytesRead));
  return compression === 'none' ? MEDIA.ociLayer : `${MEDIA.ociLayer}+${compression}`;
}
