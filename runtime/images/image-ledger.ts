import type { Log } from '../../base/log.ts';
import { isOrchError, OrchError } from '../../model/errors.ts';
import type { Image } from '../../model/image.ts';
import type { ContentStore, DetachedContent } from './content-store.ts';
import { spaceError } from './content.ts';
import { parseImageDocument } from './image-document.ts';
import type { ImageDocument } from './image-document.ts';
import { describeImages } from './image-lookup.ts';
import { SerialQueue } from './serial-queue.ts';
import { SpaceReserve } from './space-reserve.ts';
import { writeState } from './store-state.ts';
import type { StoredImage, StoredLayer, StoreState } from './store-state.ts';

/** An image whose content is complete and held, about to be recorded. */
export type NewImage = {
  readonly id: string;
  readonly document: ImageDocument;
  readonly stored: StoredImage;
  readonly tags: readonly string[];
  readonly repoDigests: readonly string[];
};

/** A state that a change may write to. */
export type Draft = {
  readonly images: Map<string, StoredImage>;
  readonly layers: Map<string, StoredLayer>;
  readonly tags: Map<string, string>;
  readonly repoDigests: Map<string, string>;
};

/** The recorded state and what is derived from it in memory. One change at a time; each is on disk before anybody sees it. */
export class ImageLedger {
  readonly #content: ContentStore;
  readonly #changes = new SerialQueue();
  readonly #reserve: SpaceReserve;
  readonly #documents: Map<string, ImageDocument>;
  #state: StoreState;
  #images: readonly Image[];
  #byId: ReadonlyMap<string, Image>;

  private constructor(content: ContentStore, state: StoreState, documents: Map<string, ImageDocument>) {
    this.#content = content;
    this.#reserve = new SpaceReserve(content.paths.reserve);
    this.#state = state;
    this.#documents = documents;
    this.#images = describeImages(state, documents);
    this.#byId = new Map(this.#images.map((image) => [image.id, image]));
  }

  /** Reads the configuration of every image in `state`; those whose files were lost or damaged are reported and left out, they can be pulled again. */
  static async open(content: ContentStore, state: StoreState, log: Log): Promise<ImageLedger> {
    const documents = new Map<string, ImageDocument>();
    for (const id of state.images.keys()) {
      try {
        const document = parseImageDocument(await content.readDocument(id), `The configuration of image ${id}`);
        const missing = document.diffIds.find((diffId) => !state.layers.has(diffId));
        if (missing !== undefined) throw new OrchError('ORCH_CORRUPT', `Image ${id} has lost its layer ${missing}`);
        documents.set(id, document);
      } catch (error) {
        if (!isOrchError(error, 'ORCH_CORRUPT')) throw error;
        log.error({ image: id, reason: error.message }, 'An image in the store is damaged and left out; pull it again');
      }
    }
    const ledger = new ImageLedger(content, without(state, documents), documents);
    await ledger.collect();
    await ledger.#reserve.fill();
    return ledger;
  }

  get state(): StoreState {
    return this.#state;
  }

  images(): readonly Image[] {
    return this.#images;
  }

  image(id: string): Image | undefined {
    return this.#byId.get(id);
  }

  /** Records complete images under their names; all of them or, when it fails, none. */
  async add(images: readonly NewImage[]): Promise<void> {
    await this.#content.sync();
    await this.#changes.run(async () => {
      await this.#write((draft) => {
        for (const { id, document, stored, tags, repoDigests } of images) {
          draft.images.set(id, draft.images.get(id) ?? stored);
          for (const tag of tags) draft.tags.set(tag, id);
          for (const name of repoDigests) draft.repoDigests.set(name, id);
          for (const diffId of document.diffIds) {
            const layer = this.#content.layer(diffId);
            if (layer === undefined) throw new Error(`layer ${diffId} of ${id} is not there to be recorded`);
            draft.layers.set(diffId, layer);
          }
        }
      }, new Map(images.map(({ id, document }) => [id, document])));
    });
  }

  /** Applies `change` to the names and images; blobs and layers that nothing refers to any more go. Returns the diff ids of the layers that went. */
  async change(change: (draft: Draft) => void): Promise<readonly string[]> {
    const detached = await this.#changes.run(async () => {
      await this.#reserve.spendOn(() => this.#write(change, new Map()));
      return await this.#detachUnneeded();
    });
    await this.#content.discard(detached);
    await this.#reserve.fill();
    return detached.diffIds;
  }

  /** Removes content that neither an image nor anybody else holds. */
  async collect(): Promise<void> {
    await this.#content.discard(await this.#changes.run(() => this.#detachUnneeded()));
  }

  /** Resolves once all changes are through. */
  async idle(): Promise<void> {
    await this.#changes.idle();
  }

  async #write(change: (draft: Draft) => void, documents: ReadonlyMap<string, ImageDocument>): Promise<void> {
    const draft: Draft = { images: new Map(this.#state.images), layers: new Map(this.#state.layers), tags: new Map(this.#state.tags), repoDigests: new Map(this.#state.repoDigests) };
    change(draft);
    const known = new Map([...this.#documents, ...documents].filter(([id]) => draft.images.has(id)));
    const needed = new Set([...known.values()].flatMap(({ diffIds }) => diffIds));
    for (const diffId of draft.layers.keys()) if (!needed.has(diffId)) draft.layers.delete(diffId);
    try {
      await writeState(this.#content.paths.state, draft);
    } catch (error) {
      throw spaceError(error, 'The list of images cannot be written');
    }
    this.#state = draft;
    this.#documents.clear();
    for (const [id, document] of known) this.#documents.set(id, document);
    this.#images = describeImages(draft, known);
    this.#byId = new Map(this.#images.map((image) => [image.id, image]));
    this.#content.setCommitted(draft.layers);
  }

  async #detachUnneeded(): Promise<DetachedContent> {
    return await this.#content.detachUnneeded(new Set([...this.#state.images.values()].flatMap(({ blobs }) => blobs)));
  }
}

/** The state without images whose document is unknown, and without their names. */
function without(state: StoreState, documents: ReadonlyMap<string, ImageDocument>): StoreState {
  const known = <T>(entries: ReadonlyMap<string, T>, idOf: (key: string, value: T) => string): Map<string, T> =>
    new Map([...entries].filter(([key, value]) => documents.has(idOf(key, value))));
  return {
    images: known(state.images, (id) => id),
    layers: state.layers,
    tags: known(state.tags, (_name, id) => id),
    repoDigests: known(state.repoDigests, (_name, id) => id),
  };
}
