import type { Platform } from './node.ts';

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
