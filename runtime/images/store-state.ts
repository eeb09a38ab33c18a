import { readTextIfExists, writeFileAtomic } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import { numberField, objectField, parseObject, textField, textsField } from './json-fields.ts';

/** An unpacked layer; `directory` is its short name below `l/`. */
export type StoredLayer = { readonly directory: string; readonly sizeBytes: number; readonly opaqueRoot: boolean };

/** `blobs` are all digests the image is made of: manifest, configuration, layers as they came. */
export type StoredImage = { readonly manifest: string; readonly blobs: readonly string[] };

/** What is complete. Image ids and diff ids are digests; names are in familiar form. */
export type StoreState = {
  readonly images: ReadonlyMap<string, StoredImage>;
  readonly layers: ReadonlyMap<string, StoredLayer>;
  readonly tags: ReadonlyMap<string, string>;
  readonly repoDigests: ReadonlyMap<string, string>;
};

const FORMAT = 1;

/** The recorded state; empty when there is none yet. Throws ORCH_CORRUPT when the file is not one of ours. */
export async function readState(path: string): Promise<StoreState> {
  const text = await readTextIfExists(path);
  if (text === undefined) return { images: new Map(), layers: new Map(), tags: new Map(), repoDigests: new Map() };
  const document = parseObject(text, path);
  if (document['format'] !== FORMAT) throw new OrchError('ORCH_CORRUPT', `${path} has the format ${String(document['format'])}, this version reads ${FORMAT}`, { hint: 'It was written by another version of orch' });
  const images = objectField(document, 'images', path);
  const layers = objectField(document, 'layers', path);
  return {
    images: new Map(Object.keys(images).map((id) => {
      const image = objectField(images, id, path);
      return [id, { manifest: textField(image, 'manifest', path), blobs: textsField(image, 'blobs', path) }];
    })),
    layers: new Map(Object.keys(layers).map((diffId) => {
      const layer = objectField(layers, diffId, path);
      return [diffId, { directory: textField(layer, 'directory', path), sizeBytes: numberField(layer, 'sizeBytes', path) ?? 0, opaqueRoot: layer['opaqueRoot'] === true }];
    })),
    tags: names(objectField(document, 'tags', path), path),
    repoDigests: names(objectField(document, 'repoDigests', path), path),
  };
}

/** Replaces the recorded state; durable when it resolves. */
export async function writeState(path: string, state: StoreState): Promise<void> {
  await writeFileAtomic(path, JSON.stringify({
    format: FORMAT,
    images: Object.fromEntries(state.images), layers: Object.fromEntries(state.layers),
    tags: Object.fromEntries(state.tags), repoDigests: Object.fromEntries(state.repoDigests),
  }));
}

const names = (map: Readonly<Record<string, unknown>>, path: string): Map<string, string> =>
  new Map(Object.keys(map).map((name) => [name, textField(map, name, path)]));
