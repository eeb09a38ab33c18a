import type { ErrorCode, ErrorDetails } from '../../model/errors.ts';

export type UnpackRequest = {
  readonly archivePath: string;
  /** Exists and is empty. */
  readonly directory: string;
  /** Digest that the uncompressed archive must have; without it, the archive must have its end mark. */
  readonly diffId?: string;
};

export type UnpackResult = {
  readonly diffId: string;
  /** Bytes of all files. */
  readonly sizeBytes: number;
  /** The layer hides everything below it. */
  readonly opaqueRoot: boolean;
  /** Names of extended attributes that were left out. */
  readonly skippedAttributes: readonly string[];
};

/** What the worker can do; `sync` waits until everything written is on disk. */
export type WorkerTask =
  | { readonly kind: 'unpack'; readonly request: UnpackRequest }
  | { readonly kind: 'remove'; readonly directory: string }
  | { readonly kind: 'sync'; readonly directory: string };

export type ToWorker = { readonly kind: 'start'; readonly id: number; readonly task: WorkerTask } | { readonly kind: 'cancel'; readonly id: number };

export type SerializedError = { readonly code: ErrorCode; readonly message: string; readonly hint?: string; readonly details: ErrorDetails };

export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly readBytes: number }
  | { readonly kind: 'done'; readonly id: number; readonly result?: UnpackResult }
  | { readonly kind: 'failed'; readonly id: number; readonly error: SerializedError }
  | { readonly kind: 'cancelled'; readonly id: number };
