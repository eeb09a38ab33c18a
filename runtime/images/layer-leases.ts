import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf, spaceError } from './content.ts';
import { SerialQueue } from './serial-queue.ts';

const SEPARATOR = '~';

/** Who uses which image's layers; one empty file each, so that taking one costs no rewrite of anything. */
export class LayerLeases {
  readonly #directory: string;
  readonly #imagesByUser: Map<string, Set<string>>;
  readonly #syncs = new SerialQueue();
  #nextSync: Promise<void> | undefined;

  private constructor(directory: string, imagesByUser: Map<string, Set<string>>) {
    this.#directory = directory;
    this.#imagesByUser = imagesByUser;
  }

  /** Reads the leases that are on disk. */
  static async open(directory: string): Promise<LayerLeases> {
    const imagesByUser = new Map<string, Set<string>>();
    for (const name of await readdir(directory)) {
      const [user, hex] = name.split(SEPARATOR);
      if (user === undefined || hex === undefined) continue;
      const key = decodeURIComponent(user);
      imagesByUser.set(key, (imagesByUser.get(key) ?? new Set()).add(`sha256:${hex}`));
    }
    return new LayerLeases(directory, imagesByUser);
  }

  /** In force at once, durable when it resolves. Throws ORCH_NO_SPACE when the disk is full. */
  async add(user: string, imageId: string): Promise<void> {
    const images = this.#imagesByUser.get(user) ?? new Set();
    if (images.has(imageId)) return;
    this.#imagesByUser.set(user, images.add(imageId));
    try {
      const file = await open(this.#path(user, imageId), 'w', 0o600);
      await file.close();
      await this.#syncDirectory();
    } catch (error) {
      images.delete(imageId);
      throw spaceError(error, `The use of image ${imageId} cannot be noted`);
    }
  }

  async removeAll(user: string): Promise<void> {
    const images = this.#imagesByUser.get(user);
    this.#imagesByUser.delete(user);
    await Promise.all([...images ?? []].map((imageId) => rm(this.#path(user, imageId), { force: true })));
  }

  usersOf(imageId: string): string[] {
    return [...this.#imagesByUser].filter(([, images]) => images.has(imageId)).map(([user]) => user);
  }

  #path(user: string, imageId: string): string {
    return join(this.#directory, `${encodeURIComponent(user).replaceAll(SEPARATOR, '%7E')}${SEPARATOR}${hexOf(imageId)}`);
  }

  /** One wait for the disk serves everybody who came before it began. */
  #syncDirectory(): Promise<void> {
    this.#nextSync ??= this.#syncs.run(async () => {
      this.#nextSync = undefined;
      await using directory = await open(this.#directory, 'r');
      await directory.sync();
    });
    return this.#nextSync;
  }
}
