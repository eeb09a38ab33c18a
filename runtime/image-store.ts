import type { ImageReference } from '../model/image-reference.ts';
import type { Platform } from '../model/node.ts';

/** The parts of an OCI image configuration that running a container needs (OCI image-spec config.md). */
export type ImageConfig = {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string;
  /** `80/tcp` and so on. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly healthCheck?: { readonly test: readonly string[]; readonly intervalNs?: number; readonly timeoutNs?: number; readonly startPeriodNs?: number; readonly retries?: number };
};

export type Image = {
  /** Digest of the image configuration, `sha256:…`: Docker's image id. */
  readonly id: string;
  /** References that name it here, familiar form with tag: `web:1`. */
  readonly tags: readonly string[];
  /** `name@sha256:…` of the manifests it was pulled by. */
  readonly repoDigests: readonly string[];
  readonly platform: Platform;
  readonly createdAtMs: number;
  /** Bytes of all layers, unpacked. */
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly history: readonly { readonly createdAtMs: number; readonly createdBy: string; readonly comment: string; readonly emptyLayer: boolean }[];
};

export type RegistryAuth = { readonly username: string; readonly password: string } | { readonly identityToken: string };

/** One step of a pull or load, in the shape that becomes Docker's progress stream. */
export type PullProgress = { readonly layer: string; readonly status: string; readonly currentBytes?: number; readonly totalBytes?: number };

export type PullOptions = {
  readonly auth?: RegistryAuth;
  /** Default: this node's. */
  readonly platform?: Platform;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
};

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
