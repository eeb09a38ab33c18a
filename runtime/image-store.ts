import type { Image } from '../model/image.ts';
import type { ImageReference } from '../model/image-reference.ts';
import type { PullOptions, PullProgress } from '../model/image-pull.ts';
import type { Platform } from '../model/node.ts';

export type { Image, ImageConfig } from '../model/image.ts';

export type { PullOptions, PullProgress } from '../model/image-pull.ts';

/** The node's images: content-addressed blobs, layers unpacked once. Every method leaves either the whole result or nothing. */
export interface ImageStore extends AsyncDisposable {
  /** Fetches what is missing; concurrent pulls of the same blob share one download. */
  pull(reference: ImageReference, options?: PullOptions): Promise<Image>;
  /** Reads a `docker save` archive or an OCI layout archive (tar, also gzip) and returns its images. Throws ORCH_CORRUPT when truncated, corrupt or hostile. */
  load(archive: AsyncIterable<Uint8Array>, onProgress?: (progress: PullProgress) => void): Promise<Image[]>;
  /** Reads an OCI layout directory. */
  loadLayout(directory: string): Promise<Image[]>;
  /** Makes an image of one layer from a root file system tar (also gzip); `changes` are Dockerfile lines such as `CMD ["sh"]`. */
  importRoot(archive: AsyncIterable<Uint8Array>, options: { tag?: ImageReference; changes?: readonly string[]; message?: string; platform?: Platform }): Promise<Image>;
  list(): readonly Image[];
  /** By reference, id, id prefix or repo digest; undefined when there is none. Throws ORCH_INVALID when a prefix names several. */
  find(nameOrId: string): Image | undefined;
  tag(nameOrId: string, reference: ImageReference): Promise<void>;
  /** Docker's `rmi`: removes a tag, and the image with its last one. Throws ORCH_IN_USE while a container uses it unless only a tag goes. */
  remove(nameOrId: string, options: { force: boolean }): Promise<{ untagged: string[]; deleted: string[] }>;
  /** Directories of the image's unpacked layers, top first, for overlayfs `lowerdir`; keeps them from removal until disposed. */
  acquireLayers(imageId: string, user: string): Promise<{ readonly lowerDirs: readonly string[] }>;
  /** Ends what `acquireLayers` of the same user began; harmless when there was none. */
  releaseLayers(user: string): Promise<void>;
}
