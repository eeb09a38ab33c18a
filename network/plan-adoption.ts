import { isLive, type AttachmentRecord, type LiveRecord } from './attachment-record.ts';
import { HOST_LINK_PREFIX } from './plan-attach.ts';
import { ADDRESS_REST_MS } from './plan-addresses.ts';

export type Observed = {
  readonly records: ReadonlyMap<string, AttachmentRecord>;
  readonly links: ReadonlySet<string>;
  /** Mounted namespaces and leftover files in our directory. */
  readonly namespacePaths: ReadonlySet<string>;
  readonly mountedPaths: ReadonlySet<string>;
  readonly nowMs: number;
};

export type Adoption = {
  /** Whole attachments: kept as they are. */
  readonly adopt: readonly LiveRecord[];
  /** Records of what is gone or was never finished. */
  readonly drop: readonly AttachmentRecord[];
  readonly deleteLinks: readonly string[];
  readonly deleteNamespaces: readonly string[];
};

/** Pure: which of the attachments in the records are really there, and what of ours belongs to none of them. */
export function planAdoption(observed: Observed): Adoption {
  const adopt: LiveRecord[] = [];
  const drop: AttachmentRecord[] = [];
  for (const record of observed.records.values()) {
    if (isLive(record)) (isWhole(record, observed) ? adopt : drop).push(record);
    else if (observed.nowMs - record.releasedAtMs >= ADDRESS_REST_MS) drop.push(record);
  }
  const links = new Set(adopt.map((record) => record.hostLink));
  const namespaces = new Set(adopt.map((record) => record.attachment.namespacePath));
  return {
    adopt, drop,
    deleteLinks: [...observed.links].filter((link) => link.startsWith(HOST_LINK_PREFIX) && !links.has(link)),
    deleteNamespaces: [...observed.namespacePaths].filter((path) => !namespaces.has(path)),
  };
}

/** A link that its container deleted is no reason to forget the rest: the container may still run. */
const isWhole = (record: LiveRecord, observed: Observed): boolean =>
  record.state === 'attached' && observed.mountedPaths.has(record.attachment.namespacePath);
