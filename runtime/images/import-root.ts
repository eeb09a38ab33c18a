import type { Clock } from '../../base/clock.ts';
import { isOrchError, OrchError } from '../../model/errors.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import type { Platform } from '../../model/node.ts';
import { describeNewImage, keepBlob, keepDocument } from './assemble-image.ts';
import type { Assembly } from './assemble-image.ts';
import { writeHashed } from './blob-writer.ts';
import { formatTime } from './image-document.ts';
import type { NewImage } from './image-ledger.ts';
import { tagName } from './image-lookup.ts';
import { applyChanges } from './import-changes.ts';
import { blobPath } from './store-paths.ts';

export type ImportOptions = { readonly tag?: ImageReference; readonly changes?: readonly string[]; readonly message?: string; readonly platform: Platform; readonly clock: Clock };

/** Prepares an image of one layer: the root file system in `archive`. Throws ORCH_INVALID for a change that cannot be applied, before anything is read. */
export async function importRootArchive(assembly: Assembly, archive: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<NewImage> {
  const config = applyChanges(options.changes ?? []);
  const { content, hold } = assembly;
  const file = await writeHashed(content.temporaryPath(), archive, 'The root file system cannot be unpacked');
  await keepBlob(assembly, file);
  const { diffId } = await unpack(assembly, blobPath(content.paths, file.digest));
  hold.keep(diffId);
  content.unhold(diffId);
  const created = formatTime(options.clock.now());
  const text = JSON.stringify({
    created, architecture: options.platform.arch, os: options.platform.os, config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, comment: options.message ?? 'Imported from a root file system archive' }],
  });
  const digest = await keepDocument(assembly, text);
  const tags = options.tag === undefined ? [] : [tagName(options.tag)];
  return await describeNewImage(assembly, { config: { path: blobPath(content.paths, digest), digest, sizeBytes: Buffer.byteLength(text) }, layers: [file], tags, what: tags[0] ?? 'the imported image' });
}

async function unpack({ content }: Assembly, path: string): Promise<{ readonly diffId: string }> {
  try {
    return await content.addLayer(path);
  } catch (error) {
    if (!isOrchError(error)) throw error;
    throw new OrchError(error.code, `The root file system cannot be imported: ${error.message}`, { hint: error.hint, cause: error });
  }
}
