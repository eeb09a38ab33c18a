import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { parseImageReference } from '../../model/image-reference.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import { imageConfig, sha256 } from '../../runtime/images/testing.ts';
import type { TestImage } from '../../runtime/images/testing.ts';

export type SeenRequest = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string };

/** Answers a request in place of the registry; false lets the registry answer. */
export type Interception = (request: SeenRequest, response: ServerResponse) => boolean | Promise<boolean>;

export type PushedImage = { readonly manifestDigest: string; readonly manifest: string; readonly mediaType: string; readonly layerDigests: readonly string[]; readonly imageId: string };

const types = {
  oci: { manifest: 'application/vnd.oci.image.manifest.v1+json', config: 'application/vnd.oci.image.config.v1+json', layer: 'application/vnd.oci.image.layer.v1.tar+gzip', index: 'application/vnd.oci.image.index.v1+json' },
  docker: { manifest: 'application/vnd.docker.distribution.manifest.v2+json', config: 'application/vnd.docker.container.image.v1+json', layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip', index: 'application/vnd.docker.distribution.manifest.list.v2+json' },
} as const;

/** A registry on 127.0.0.1 that holds what is pushed into it and fails as it is told to. */
export class FakeRegistry implements AsyncDisposable {
  readonly #server: Server;
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { readonly type: string; readonly body: string }>();
  readonly requests: SeenRequest[] = [];
  intercept: Interception = () => false;
  supportsRange = true;

  private constructor(server: Server) { this.#server = server; }

  static async start(): Promise<FakeRegistry> {
    const server = createServer();
    const registry = new FakeRegistry(server);
    server.on('request', (request, response) => { registry.#serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined)); });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  reference(name: string): ImageReference {
    return parseImageReference(`${this.host}/${name}`);
  }

  /** Paths that were asked for, without the probe for TLS. */
  paths(pattern = /./): string[] {
    return this.requests.map(({ path }) => path).filter((path) => pattern.test(path));
  }

  push(name: string, image: TestImage, options: { readonly format?: 'oci' | 'docker'; readonly compress?: (layer: Buffer) => Buffer; readonly withMediaType?: boolean } = {}): PushedImage {
    const { format = 'oci', compress = gzipSync, withMediaType = true } = options;
    const config = imageConfig(image);
    const describe = (mediaType: string, bytes: Buffer): object => {
      this.blobs.set(sha256(bytes), bytes);
      return { mediaType, digest: sha256(bytes), size: bytes.length };
    };
    const layers = image.layers.map((layer) => compress(layer));
    const manifest = JSON.stringify({
      schemaVersion: 2, ...(withMediaType && { mediaType: types[format].manifest }),
      config: describe(types[format].config, Buffer.from(config)), layers: layers.map((layer) => describe(types[format].layer, layer)),
    });
    this.#store(name, types[format].manifest, manifest);
    return { manifest, manifestDigest: sha256(manifest), mediaType: types[format].manifest, layerDigests: layers.map(sha256), imageId: sha256(config) };
  }

  pushIndex(name: string, entries: readonly { readonly image: PushedImage; readonly platform: object; readonly annotations?: object }[], format: 'oci' | 'docker' = 'oci'): string {
    const body = JSON.stringify({
      schemaVersion: 2, mediaType: types[format].index,
      manifests: entries.map(({ image, platform, annotations }) => ({ mediaType: image.mediaType, digest: image.manifestDigest, size: image.manifest.length, platform, ...(annotations && { annotations }) })),
    });
    this.#store(name, types[format].index, body);
    return sha256(body);
  }

  /** Stores any text as the manifest of a tag. */
  putManifest(name: string, type: string, body: string): void {
    this.#store(name, type, body);
  }

  #store(name: string, type: string, body: string): void {
    const colon = name.lastIndexOf(':');
    this.manifests.set(`${name.slice(0, colon)}/manifests/${name.slice(colon + 1)}`, { type, body });
    this.manifests.set(`${name.slice(0, colon)}/manifests/${sha256(body)}`, { type, body });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
    this.requests.push(seen);
    if (await this.intercept(seen, response)) return;
    const manifest = this.manifests.get(seen.path.replace(/^\/v2\//, ''));
    const digest = /\/blobs\/(sha256:[a-f0-9]{64})$/.exec(seen.path)?.[1];
    const blob = digest === undefined ? undefined : this.blobs.get(digest);
    if (manifest) response.writeHead(200, { 'content-type': manifest.type, 'docker-content-digest': sha256(manifest.body) }).end(manifest.body);
    else if (blob) this.#sendBlob(blob, seen, response);
    else sendError(response, { status: 404, code: seen.path.includes('/manifests/') ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN', message: 'not known to the registry' });
  }

  #sendBlob(blob: Buffer, { headers }: SeenRequest, response: ServerResponse): void {
    const start = this.supportsRange ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    if (start === 0) response.writeHead(200, { 'content-length': blob.length }).end(blob);
    else response.writeHead(206, { 'content-length': blob.length - start, 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }).end(blob.subarray(start));
  }
}

export type ProtocolError = { readonly status: number; readonly code: string; readonly message: string; readonly headers?: Readonly<Record<string, string>> };

/** An answer in the protocol's error format. */
export function sendError(response: ServerResponse, { status, code, message, headers }: ProtocolError): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ errors: [{ code, message }] }));
  return true;
}

/** Sends `bytes` of a blob from `start` on, then breaks the connection. */
export function breakAfter(response: ServerResponse, blob: Buffer, { start = 0, bytes }: { readonly start?: number; readonly bytes: number }): true {
  response.writeHead(start === 0 ? 200 : 206, { 'content-length': blob.length - start, ...(start > 0 && { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` }) });
  response.write(blob.subarray(start, start + bytes), () => response.destroy());
  return true;
}
