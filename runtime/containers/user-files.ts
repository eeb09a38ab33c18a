import type { UserFiles } from '../oci/users.ts';
import type { ShimClient } from '../shim-client.ts';

const CACHED_IMAGES = 64;

/** /etc/passwd and /etc/group of images, each image read once. */
export class UserFileCache {
  readonly #shim: ShimClient;
  readonly #byImage = new Map<string, Promise<UserFiles>>();

  constructor(shim: ShimClient) { this.#shim = shim; }

  /** Reads them from the image's layers (top first) as the container will see them; `target` is an empty directory to mount at. */
  async read(imageId: string, lower: readonly string[], target: string): Promise<UserFiles> {
    const known = this.#byImage.get(imageId);
    if (known) return await known;
    const reading = this.#read(lower, target);
    this.#byImage.set(imageId, reading);
    const [oldest] = this.#byImage.keys();
    if (this.#byImage.size > CACHED_IMAGES && oldest !== undefined) this.#byImage.delete(oldest);
    try {
      return await reading;
    } catch (error) {
      this.#byImage.delete(imageId);
      throw error;
    }
  }

  async #read(lower: readonly string[], target: string): Promise<UserFiles> {
    const [passwd, group] = await this.#shim.readRootFiles({ target, lower }, ['/etc/passwd', '/etc/group']);
    return { passwd: passwd?.toString() ?? '', group: group?.toString() ?? '' };
  }
}
