import type { ContainerId } from '../model/meta.ts';
import type { PublishedPort } from '../model/service.ts';

export type AttachRequest = {
  readonly containerId: ContainerId;
  readonly mode: 'none' | 'bridge';
  /** Host-mode published ports; `publishedPort` 0 takes a free one. */
  readonly ports: readonly PublishedPort[];
};

export type Attachment = {
  readonly containerId: ContainerId;
  /** Path of the container's network namespace. */
  readonly namespacePath: string;
  /** CIDR form; empty for mode `none`. */
  readonly addresses: readonly string[];
  readonly gateway?: string;
  readonly macAddress?: string;
  /** With the host ports that were taken. */
  readonly ports: readonly PublishedPort[];
};

/** The node's own network: a bridge with addresses, masquerade for what goes out, host-mode published ports. Survives a restart of the daemon untouched. */
export interface NodeNetwork extends AsyncDisposable {
  /** Sets the subnet of the bridge (CIDR), making or changing the bridge; idempotent. A change while containers are attached takes effect for new ones. */
  configure(subnet: string): Promise<void>;
  /** Makes the container's namespace and its links. Idempotent by container id. Throws ORCH_IN_USE (port taken), ORCH_CONFLICT (no free address). Leaves nothing behind when it throws. */
  attach(request: AttachRequest): Promise<Attachment>;
  /** Removes namespace, links, addresses, ports. Idempotent. */
  detach(containerId: ContainerId): Promise<void>;
  attachments(): readonly Attachment[];
}
