import type { Platform } from './node.ts';

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
