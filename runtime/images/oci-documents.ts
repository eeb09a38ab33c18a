import { OrchError } from '../../model/errors.ts';
import { isDigest } from './content.ts';
import { numberField, objectField, objectsField, parseObject, textField, textMapField } from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';

export const MEDIA = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

/** A platform as an index names it; empty text where it does not say. */
export type DescribedPlatform = { readonly os: string; readonly arch: string; readonly variant: string };

export type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform?: DescribedPlatform;
};

export type ImageManifest = { readonly kind: 'manifest'; readonly config: Descriptor; readonly layers: readonly Descriptor[] };
export type ImageIndex = { readonly kind: 'index'; readonly manifests: readonly Descriptor[] };

const manifestTypes = new Set<string>([MEDIA.ociManifest, MEDIA.dockerManifest]);
const indexTypes = new Set<string>([MEDIA.ociIndex, MEDIA.dockerList]);
const configTypes = new Set<string>([MEDIA.ociConfig, MEDIA.dockerConfig]);
const layerPattern = /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar)(?:[.+](?:gzip|zstd))?$/;

/**
 * Reads an image manifest or index (OCI or Docker). `mediaType` is what the sender called it, which OCI documents need not repeat; empty when unknown.
 * Throws ORCH_CORRUPT when malformed and ORCH_UNSUPPORTED when it is no image that can run here; both name `what`.
 */
export function parseManifest(text: string, mediaType: string, what: string): ImageManifest | ImageIndex {
  const document = parseObject(text, what);
  const type = [mediaType, textField(document, 'mediaType', what)].find((candidate) => manifestTypes.has(candidate) || indexTypes.has(candidate));
  if (type === undefined && (document['schemaVersion'] === 1 || mediaType.includes('manifest.v1'))) {
    throw new OrchError('ORCH_UNSUPPORTED', `${what} is in Docker's old schema 1 format`, { hint: 'Push the image again with a current tool' });
  }
  if (type === undefined ? 'manifests' in document : indexTypes.has(type)) {
    return { kind: 'index', manifests: objectsField(document, 'manifests', what).map((item) => parseDescriptor(item, what)) };
  }
  if (type === undefined && !('layers' in document)) throw new OrchError('ORCH_UNSUPPORTED', `${what} is not an image but "${mediaType}"`);
  return parseImageManifest(document, what);
}

function parseImageManifest(document: JsonObject, what: string): ImageManifest {
  const config = parseDescriptor(objectField(document, 'config', what), what);
  if (!configTypes.has(config.mediaType)) throw new OrchError('ORCH_UNSUPPORTED', `${what} is not a container image but "${config.mediaType}"`);
  const layers = objectsField(document, 'layers', what).map((item) => parseDescriptor(item, what));
  const strange = layers.find((layer) => !layerPattern.test(layer.mediaType));
  if (strange !== undefined) throw new OrchError('ORCH_UNSUPPORTED', `${what} has a layer of the unknown type "${strange.mediaType}"`);
  return { kind: 'manifest', config, layers };
}

function parseDescriptor(value: JsonObject, what: string): Descriptor {
  const digest = textField(value, 'digest', what);
  if (!isDigest(digest)) throw new OrchError('ORCH_CORRUPT', `${what} names content by "${digest}", which is no sha256 digest`);
  const sizeBytes = numberField(value, 'size', what) ?? -1;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new OrchError('ORCH_CORRUPT', `${what} gives no size for ${digest}`);
  const platform = value['platform'] === undefined ? undefined : objectField(value, 'platform', what);
  return {
    mediaType: textField(value, 'mediaType', what), digest, sizeBytes,
    annotations: textMapField(value, 'annotations', what),
    ...(platform && { platform: { os: textField(platform, 'os', what), arch: textField(platform, 'architecture', what), variant: textField(platform, 'variant', what) } }),
  };
}

/** The text of an OCI image manifest. */
export function formatManifest(manifest: { readonly config: Descriptor; readonly layers: readonly Descriptor[] }): string {
  const plain = ({ mediaType, digest, sizeBytes }: Descriptor): object => ({ mediaType, digest, size: sizeBytes });
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config: plain(manifest.config), layers: manifest.layers.map(plain) });
}
