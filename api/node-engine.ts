import type { Container, ContainerEvent } from '../model/container.ts';
import type { ImageReference } from '../model/image-reference.ts';
import type { Image } from '../model/image.ts';
import type { PullOptions, PullProgress } from '../model/image-pull.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { ContainerId } from '../model/meta.ts';
import type { NodeDescription } from '../model/node.ts';
import type { PublishedPort } from '../model/service.ts';

/** Image operations of this node, as `runtime/image-store.ts` has them. */
export interface ImageEngine {
  pull(reference: ImageReference, options?: PullOptions): Promise<Image>;
  load(archive: AsyncIterable<Uint8Array>, onProgress?: (progress: PullProgress) => void): Promise<readonly Image[]>;
  importRoot(archive: AsyncIterable<Uint8Array>, options: { tag?: ImageReference; changes?: readonly string[]; message?: string }): Promise<Image>;
  list(): readonly Image[];
  find(nameOrId: string): Image | undefined;
  tag(nameOrId: string, reference: ImageReference): Promise<void>;
  remove(nameOrId: string, options: { force: boolean }): Promise<{ untagged: string[]; deleted: string[] }>;
}

/** Container operations of this node, as `runtime/engine.ts` has them. */
export interface ContainerInspector {
  list(): readonly Container[];
  find(nameOrId: string): Container | undefined;
  logs(id: ContainerId, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord>;
  subscribe(listener: (event: ContainerEvent) => void): Disposable;
}

/** What the kernel and the programs of this node can do; shown by `orch info`. */
export type NodeFeatures = {
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osVersion: string;
  readonly architecture: string;
  readonly cgroupVersion: '1' | '2';
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  readonly runtimes: readonly { readonly name: string; readonly path: string; readonly version: string }[];
  readonly defaultRuntime: string;
  readonly seccomp: boolean;
  readonly appArmor: boolean;
  /** Sentences about what this node lacks. */
  readonly warnings: readonly string[];
};

/** How a container is on the network of this node. */
export type ContainerAttachment = {
  readonly containerId: ContainerId;
  /** CIDR form. */
  readonly addresses: readonly string[];
  readonly gateway?: string;
  readonly macAddress?: string;
  /** With the host ports that were taken. */
  readonly ports: readonly PublishedPort[];
};

/** Everything node-local that the API serves. */
export interface NodeEngine {
  readonly images: ImageEngine;
  readonly containers: ContainerInspector;
  attachments(): readonly ContainerAttachment[];
  description(): NodeDescription;
  features(): NodeFeatures;
  readonly dataDir: string;
}
