import { OrchError } from '../../model/errors.ts';
import { parseImageReference } from '../../model/image-reference.ts';
import type { ArchiveSpool } from './archive-spool.ts';
import { describeNewImage, keepBlob, unpackLayers } from './assemble-image.ts';
import type { Assembly } from './assemble-image.ts';
import type { WrittenFile } from './blob-writer.ts';
import { shortDigest } from './content.ts';
import type { NewImage } from './image-ledger.ts';
import { tagName } from './image-lookup.ts';
import { asObject, textField, textsField } from './json-fields.ts';

export const DOCKER_MANIFEST = 'manifest.json';

/** Prepares the images of a `docker save` archive, whose manifest.json is `text`. Throws ORCH_CORRUPT when something is missing or not what it is said to be. */
export async function loadDockerArchive(assembly: Assembly, spool: ArchiveSpool, text: string): Promise<NewImage[]> {
  const images: NewImage[] = [];
  for (const item of parseList(text)) {
    const entry = asObject(item, DOCKER_MANIFEST);
    const tags = textsField(entry, 'RepoTags', DOCKER_MANIFEST).map((tag) => tagName(parseImageReference(tag)));
    const config = requireFile(spool, textField(entry, 'Config', DOCKER_MANIFEST));
    const layers = textsField(entry, 'Layers', DOCKER_MANIFEST).map((name) => requireFile(spool, name));
    const what = tags[0] ?? `image ${shortDigest(config.digest)}`;
    for (const file of [config, ...layers]) await keepBlob(assembly, file);
    const image = await describeNewImage(assembly, { config, layers, tags, what });
    await unpackLayers(assembly, { diffIds: image.document.diffIds, layers: layers.map(({ digest }) => digest), what });
    images.push(image);
  }
  return images;
}

function parseList(text: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OrchError('ORCH_CORRUPT', `The image archive has a ${DOCKER_MANIFEST} that is not valid JSON`, { cause: error });
  }
  if (Array.isArray(value)) return value;
  throw new OrchError('ORCH_CORRUPT', `The image archive has a ${DOCKER_MANIFEST} that is not a list`);
}

/** A file that the archive must have; when its name is a digest, its content must have that digest. */
function requireFile(spool: ArchiveSpool, name: string): WrittenFile {
  const file = spool.file(name);
  if (file === undefined) throw new OrchError('ORCH_CORRUPT', `The image archive has no "${name}"`);
  const promised = /(?:^|\/)([a-f0-9]{64})(?:\.json)?$/.exec(name)?.[1];
  if (promised !== undefined && file.digest !== `sha256:${promised}`) {
    throw new OrchError('ORCH_CORRUPT', `The image archive's "${name}" has the digest ${file.digest}`);
  }
  return file;
}
