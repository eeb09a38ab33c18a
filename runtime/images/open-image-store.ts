import { chmod, mkdir, readdir } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { OrchError } from '../../model/errors.ts';
import type { PullOptions, PullProgress } from '../../model/image-pull.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import type { Platform } from '../../model/node.ts';
import type { Image, ImageStore } from '../image-store.ts';
import type { RegistryOptions } from '../registry/registry-client.ts';
import { abortable } from './abortable.ts';
import type { Assembly } from './assemble-image.ts';
import { ContentHold } from './content-hold.ts';
import { ContentStore } from './content-store.ts';
import { ImageLedger } from './image-ledger.ts';
import type { NewImage } from './image-ledger.ts';
import { lookUp, repoDigestName, tagName } from './image-lookup.ts';
import type { Found } from './image-lookup.ts';
import { planRemoval } from './image-removal.ts';
import { LayerLeases } from './layer-leases.ts';
import { runsOn } from './platform-match.ts';
import type { WantedPlatform } from './platform-match.ts';
import { SharedWork } from './shared-work.ts';
import { storePaths } from './store-paths.ts';
import { readState } from './store-state.ts';
import type { StoredLayer } from './store-state.ts';
import { UnpackPool } from './unpack-pool.ts';

export type ImageStoreOptions = {
  /** Directory of the store alone, such as `/var/lib/orch/images`; a short path leaves room for more layers. Made when missing, mode 0700. */
  readonly dataDir: string;
  /** This node's; `variant` as in OCI when it is not the architecture's usual one. */
  readonly platform: WantedPlatform;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Default true: an image is recorded once its content is on disk, whatever happens to the power. False for tests, which need not wait for everybody's writes. */
  readonly waitForDisk?: boolean;
  /** How registries are asked; the defaults are Docker's. */
  readonly registry?: Omit<RegistryOptions, 'clock' | 'random'> & {
    /** Directory of CA and client certificates by registry, see `readRegistryCertificates`. */
    readonly certificatesDir?: string;
  };
};

/** Docker's default: more connections rarely make a pull faster. */
const PARALLEL_DOWNLOADS = 3;

/** Opens the node's image store, removing what a crash left behind. One process at a time. Throws ORCH_CORRUPT when its own records cannot be read. */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const paths = storePaths(options.dataDir);
  await mkdir(paths.root, { recursive: true });
  await chmod(paths.root, 0o700); // layers hold setuid programs that nobody on the host may reach
  for (const directory of [paths.blobs, paths.layers, paths.leases, paths.temporary, paths.empty]) await mkdir(directory, { recursive: true });
  const recorded = await readState(paths.state);
  const state = { ...recorded, layers: await presentLayers(paths.layers, recorded.layers) };
  await using closing = new AsyncDisposableStack();
  const pool = closing.use(new UnpackPool({ clock: options.clock }));
  const content = new ContentStore({ paths, random: options.random, log: options.log, pool, layers: state.layers, waitForDisk: options.waitForDisk ?? true });
  await content.removeLeftovers();
  const ledger = await ImageLedger.open(content, state, options.log);
  const leases = await LayerLeases.open(paths.leases);
  closing.move();
  return new LocalImageStore({ options, content, ledger, leases, pool });
}

/** The layers whose directory is really there. */
async function presentLayers(directory: string, layers: ReadonlyMap<string, StoredLayer>): Promise<Map<string, StoredLayer>> {
  const present = new Set(await readdir(directory));
  return new Map([...layers].filter(([, layer]) => present.has(layer.directory)));
}

type Parts = { readonly options: ImageStoreOptions; readonly content: ContentStore; readonly ledger: ImageLedger; readonly leases: LayerLeases; readonly pool: UnpackPool };

class LocalImageStore implements ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #content: ContentStore;
  readonly #ledger: ImageLedger;
  readonly #leases: LayerLeases;
  readonly #pool: UnpackPool;
  /** Images whose removal is being written: too late to use their layers. */
  readonly #going = new Set<string>();
  readonly #closing = new AbortController();
  readonly #working = new Set<Promise<unknown>>();
  readonly #downloads = new SharedWork<void, number>();
  readonly #slots = new Semaphore(PARALLEL_DOWNLOADS);

  constructor(parts: Parts) {
    this.#options = parts.options;
    this.#content = parts.content;
    this.#ledger = parts.ledger;
    this.#leases = parts.leases;
    this.#pool = parts.pool;
  }

  /** Cuts off what is under way, which leaves nothing, and ends the threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(closedError());
    await Promise.allSettled(this.#working);
    await this.#ledger.idle();
    await this.#pool[Symbol.asyncDispose]();
  }

  async pull(reference: ImageReference, options: PullOptions = {}): Promise<Image> {
    const platform = options.platform ?? this.#options.platform;
    return this.#presentByDigest(reference, platform) ?? await this.#pullImage(reference, platform, options);
  }

  async load(archive: AsyncIterable<Uint8Array>, onProgress?: (progress: PullProgress) => void): Promise<Image[]> {
    const { loadArchive } = await import('./load-archive.ts');
    return await this.#add(async (assembly) => await loadArchive({ ...assembly, onProgress: onProgress && ((step) => onProgress({ ...step, status: 'Loading layer' })) }, abortable(archive, assembly.signal), this.#options.platform));
  }

  async loadLayout(directory: string): Promise<Image[]> {
    const { loadLayoutDirectory } = await import('./load-layout.ts');
    return await this.#add(async (assembly) => await loadLayoutDirectory(assembly, directory, this.#options.platform));
  }

  async importRoot(archive: AsyncIterable<Uint8Array>, options: { tag?: ImageReference; changes?: readonly string[]; message?: string; platform?: Platform }): Promise<Image> {
    const { importRootArchive } = await import('./import-root.ts');
    const { platform, clock } = this.#options;
    return theOnly(await this.#add(async (assembly) => [await importRootArchive(assembly, abortable(archive, assembly.signal), { clock, platform, ...options })]));
  }

  list(): readonly Image[] {
    return this.#ledger.images();
  }

  find(nameOrId: string): Image | undefined {
    const found = lookUp(this.#ledger.state, nameOrId);
    return found === undefined ? undefined : this.#ledger.image(found.id);
  }

  async tag(nameOrId: string, reference: ImageReference): Promise<void> {
    if (reference.digest !== undefined) throw new OrchError('ORCH_INVALID', `Cannot tag an image as "${repoDigestName(reference, reference.digest)}": a tag has no digest`);
    const name = tagName(reference);
    await this.#ledger.change((draft) => { draft.tags.set(name, this.#require(nameOrId).id); });
  }

  async remove(nameOrId: string, { force }: { force: boolean }): Promise<{ untagged: string[]; deleted: string[] }> {
    let untagged: readonly string[] = [];
    let deletedId: string | undefined;
    const layers = await this.#ledger.change((draft) => {
      const found = this.#require(nameOrId);
      const removal = planRemoval(draft, { found, force, users: this.#leases.usersOf(found.id) });
      untagged = removal.untagged;
      for (const name of untagged) if (!draft.tags.delete(name)) draft.repoDigests.delete(name);
      if (!removal.deletesImage) return;
      draft.images.delete(found.id);
      deletedId = found.id;
      this.#going.add(found.id);
    }).finally(() => { if (deletedId !== undefined) this.#going.delete(deletedId); });
    return { untagged: [...untagged], deleted: deletedId === undefined ? [] : [deletedId, ...layers] };
  }

  async acquireLayers(imageId: string, user: string): Promise<{ readonly lowerDirs: readonly string[] }> {
    const image = this.#ledger.image(imageId);
    if (image === undefined || this.#going.has(imageId)) throw noSuchImage(imageId);
    await this.#leases.add(user, imageId);
    return { lowerDirs: this.#lowerDirs(image) };
  }

  async releaseLayers(user: string): Promise<void> {
    await this.#leases.removeAll(user);
  }

  /** Top first. A layer that comes twice counts where it is uppermost, as overlayfs takes no directory twice; nothing is below one that hides all. */
  #lowerDirs(image: Image): string[] {
    const directories: string[] = [];
    for (const diffId of new Set(image.diffIds.toReversed())) {
      const layer = this.#content.layer(diffId);
      if (layer === undefined) throw new OrchError('ORCH_CORRUPT', `Image ${image.id} has lost its layer ${diffId}`, { hint: 'Pull the image again' });
      directories.push(this.#content.layerPath(layer));
      if (layer.opaqueRoot) break;
    }
    return directories.length > 0 ? directories : [this.#content.paths.empty];
  }

  async #pullImage(reference: ImageReference, platform: WantedPlatform, options: PullOptions): Promise<Image> {
    const { clock, random, registry = {} } = this.#options;
    const { pullImage } = await import('./pull-image.ts');
    const signal = options.signal === undefined ? this.#closing.signal : AbortSignal.any([options.signal, this.#closing.signal]);
    return theOnly(await this.#add(async (assembly) => [await pullImage({
      assembly: { ...assembly, signal, onProgress: options.onProgress }, platform, reference, options: { ...options, signal },
      registry: { ...registry, clock, random }, certificatesDir: registry.certificatesDir, downloads: this.#downloads, slots: this.#slots,
    })]));
  }

  /** The image that a digest names, when it is here: content by digest does not change. */
  #presentByDigest(reference: ImageReference, platform: WantedPlatform): Image | undefined {
    const id = reference.digest === undefined ? undefined : this.#ledger.state.repoDigests.get(repoDigestName(reference, reference.digest));
    const image = id === undefined ? undefined : this.#ledger.image(id);
    return image !== undefined && runsOn({ ...image.platform, variant: '' }, platform) ? image : undefined;
  }

  /** Runs `prepare`, records the images it returns, and leaves nothing of what it kept otherwise. */
  async #add(prepare: (assembly: Assembly & { readonly signal: AbortSignal }) => Promise<NewImage[]>): Promise<Image[]> {
    if (this.#closing.signal.aborted) throw closedError();
    const work = this.#addImages(prepare);
    this.#working.add(work);
    return await work.finally(() => this.#working.delete(work));
  }

  async #addImages(prepare: (assembly: Assembly & { readonly signal: AbortSignal }) => Promise<NewImage[]>): Promise<Image[]> {
    const content = this.#content;
    const ids = new Set<string>();
    try {
      using hold = new ContentHold(content);
      const images = await prepare({ content, hold, signal: this.#closing.signal });
      await this.#ledger.add(images);
      for (const { id } of images) ids.add(id);
    } finally {
      await this.#ledger.collect();
    }
    return [...ids].map((id) => this.#ledger.image(id)).filter((image) => image !== undefined);
  }

  #require(nameOrId: string): Found {
    const found = lookUp(this.#ledger.state, nameOrId);
    if (found === undefined) throw noSuchImage(nameOrId);
    return found;
  }
}

const noSuchImage = (nameOrId: string): OrchError => new OrchError('ORCH_NOT_FOUND', `No such image: ${nameOrId}`);

const closedError = (): OrchError => new OrchError('ORCH_RUNTIME', 'The image store is closed');

function theOnly(images: readonly Image[]): Image {
  const [image] = images;
  if (image === undefined) throw new OrchError('ORCH_CONFLICT', 'The image was removed while it came in', { hint: 'Try again' });
  return image;
}
