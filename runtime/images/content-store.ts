import { renameSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { OrchError } from '../../model/errors.ts';
import { temporaryPath } from './blob-writer.ts';
import type { WrittenFile } from './blob-writer.ts';
import { digestOf, spaceError } from './content.ts';
import { SharedWork } from './shared-work.ts';
import { blobPath } from './store-paths.ts';
import type { StorePaths } from './store-paths.ts';
import type { StoredLayer } from './store-state.ts';
import type { UnpackPool } from './unpack-pool.ts';
import type { UnpackResult } from './unpack-protocol.ts';

/** Documents (manifests, configurations) are read into memory whole. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

/** Content that nobody can find any more, and where it lies; `diffIds` are those of layers. */
export type DetachedContent = { readonly diffIds: readonly string[]; readonly paths: readonly string[] };

export type UnpackSteps = { readonly signal?: AbortSignal | undefined; readonly onProgress?: ((readBytes: number) => void) | undefined };

type ContentStoreOptions = {
  readonly paths: StorePaths;
  readonly random: Random;
  readonly log: Log;
  readonly pool: UnpackPool;
  /** Recorded layers, all of which are on disk. */
  readonly layers: ReadonlyMap<string, StoredLayer>;
  readonly waitForDisk: boolean;
};

/** Blobs and unpacked layers on disk. Content is kept while an image refers to it or somebody holds it. */
export class ContentStore {
  readonly paths: StorePaths;
  readonly #random: Random;
  readonly #log: Log;
  readonly #pool: UnpackPool;
  readonly #waitForDisk: boolean;
  readonly #held = new Map<string, number>();
  /** Complete layers that no committed image refers to yet. */
  readonly #fresh = new Map<string, StoredLayer>();
  readonly #unpacking = new SharedWork<StoredLayer, number>();
  #committed: ReadonlyMap<string, StoredLayer>;
  #nextDirectory: number;

  constructor(options: ContentStoreOptions) {
    this.#waitForDisk = options.waitForDisk;
    this.paths = options.paths;
    this.#random = options.random;
    this.#log = options.log;
    this.#pool = options.pool;
    this.#committed = options.layers;
    this.#nextDirectory = 1 + Math.max(0, ...[...options.layers.values()].map(({ directory }) => Number.parseInt(directory, 36)));
  }

  /** Removes what a crash left of layers and temporary files: everything that the recorded state does not name. Blobs are for `detachUnneeded`. */
  async removeLeftovers(): Promise<void> {
    const layers = new Set([...this.#committed.values()].map(({ directory }) => directory));
    for (const name of await readdir(this.paths.layers)) if (!layers.has(name)) await this.#pool.remove(join(this.paths.layers, name));
    for (const name of await readdir(this.paths.temporary)) await this.#pool.remove(join(this.paths.temporary, name));
  }

  /** A name for a new temporary file or directory. */
  temporaryPath(): string {
    return temporaryPath(this.paths.temporary, this.#random);
  }

  hold(digest: string): void {
    this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
  }

  unhold(digest: string): void {
    const count = (this.#held.get(digest) ?? 0) - 1;
    if (count > 0) this.#held.set(digest, count);
    else this.#held.delete(digest);
  }

  /** Bytes of a blob; undefined when it is not here. */
  async blobSize(digest: string): Promise<number | undefined> {
    try {
      return (await stat(blobPath(this.paths, digest))).size;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** The text of a small blob. Throws ORCH_CORRUPT when it is missing, too large or not what its digest says. */
  async readDocument(digest: string): Promise<string> {
    const sizeBytes = await this.blobSize(digest);
    if (sizeBytes === undefined) throw new OrchError('ORCH_CORRUPT', `The image store has lost the blob ${digest}`);
    if (sizeBytes > MAX_DOCUMENT_BYTES) throw new OrchError('ORCH_CORRUPT', `The document ${digest} is larger than ${MAX_DOCUMENT_BYTES} bytes`);
    const bytes = await readFile(blobPath(this.paths, digest));
    if (digestOf(bytes) !== digest) throw new OrchError('ORCH_CORRUPT', `The blob ${digest} in the image store is damaged`);
    return bytes.toString('utf8');
  }

  /** Makes a finished temporary file a blob; the caller holds its digest. */
  async adoptBlob(file: WrittenFile): Promise<void> {
    await rename(file.path, blobPath(this.paths, file.digest));
  }

  layer(diffId: string): StoredLayer | undefined {
    return this.#committed.get(diffId) ?? this.#fresh.get(diffId);
  }

  /** The directory of an unpacked layer. */
  layerPath(layer: StoredLayer): string {
    return join(this.paths.layers, layer.directory);
  }

  /** Unpacks the layer from the archive unless it is here; the caller holds its diff id. Throws as `unpackLayer` does, leaving nothing. */
  async ensureLayer(diffId: string, archivePath: string, steps: UnpackSteps = {}): Promise<StoredLayer> {
    const present = this.layer(diffId);
    if (present !== undefined) return present;
    return await this.#unpacking.run(diffId, async (signal, onProgress) => {
      const { layer } = await this.#unpack({ archivePath, diffId }, { signal, onProgress });
      this.#fresh.set(diffId, layer);
      return layer;
    }, steps);
  }

  /** Unpacks an archive whose diff id is not known before, and holds it. */
  async addLayer(archivePath: string): Promise<{ readonly diffId: string; readonly layer: StoredLayer }> {
    const { layer, diffId } = await this.#unpack({ archivePath }, {});
    this.hold(diffId);
    const present = this.layer(diffId);
    if (present === undefined) this.#fresh.set(diffId, layer);
    else await this.#pool.remove(this.layerPath(layer));
    return { diffId, layer: present ?? layer };
  }

  /** Says which layers the recorded state names; layers it has dropped stay on disk until `detachUnneeded`. */
  setCommitted(layers: ReadonlyMap<string, StoredLayer>): void {
    for (const [diffId, layer] of this.#committed) if (!layers.has(diffId)) this.#fresh.set(diffId, layer);
    for (const diffId of layers.keys()) this.#fresh.delete(diffId);
    this.#committed = layers;
  }

  /** Resolves once all content is on disk, if that is asked for. */
  async sync(): Promise<void> {
    if (this.#waitForDisk) await this.#pool.sync(this.paths.root);
  }

  /**
   * Takes away blobs that are neither in `needed` nor held, and layers that are neither recorded nor held, at one blow:
   * whoever looks for them afterwards finds nothing, and nobody who held them before loses them.
   */
  async detachUnneeded(needed: ReadonlySet<string>): Promise<DetachedContent> {
    const blobs = (await readdir(this.paths.blobs)).map((hex) => `sha256:${hex}`);
    const paths: string[] = [];
    for (const digest of blobs.filter((candidate) => !needed.has(candidate) && !this.#held.has(candidate))) {
      const path = this.temporaryPath();
      renameSync(blobPath(this.paths, digest), path);
      paths.push(path);
    }
    const diffIds: string[] = [];
    for (const [diffId, layer] of this.#fresh) {
      if (this.#held.has(diffId)) continue;
      this.#fresh.delete(diffId);
      diffIds.push(diffId);
      paths.push(this.layerPath(layer));
    }
    return { diffIds, paths };
  }

  /** Gives back the space of what was taken away. */
  async discard({ paths }: DetachedContent): Promise<void> {
    for (const path of paths) await this.#pool.remove(path);
  }

  async #unpack(source: { readonly archivePath: string; readonly diffId?: string }, { signal, onProgress }: UnpackSteps): Promise<{ layer: StoredLayer; diffId: string }> {
    const directory = (this.#nextDirectory++).toString(36);
    const path = join(this.paths.layers, directory);
    try {
      await mkdir(path);
      await chmod(path, 0o755);
      const result = await this.#pool.unpack({ ...source, directory: path }, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
      this.#warnOfSkipped(result);
      return { diffId: result.diffId, layer: { directory, sizeBytes: result.sizeBytes, opaqueRoot: result.opaqueRoot } };
    } catch (error) {
      await this.#pool.remove(path);
      throw spaceError(error, 'A layer cannot be unpacked');
    }
  }

  #warnOfSkipped({ diffId, skippedAttributes }: UnpackResult): void {
    if (skippedAttributes.length > 0) this.#log.warn({ layer: diffId, attributes: skippedAttributes }, 'Left out extended attributes that belong to the host that packed the layer or that this file system cannot keep');
  }
}
