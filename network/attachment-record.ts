import type { ContainerId } from '../model/meta.ts';
import type { Attachment } from './node-network.ts';

/**
 * What the node network remembers of one container, in `<runDir>/network/`: it lives as long as the kernel objects it describes.
 * attaching: links may exist in part; attached: all of them do; released: only the address is kept from being used again for a while.
 */
export type AttachmentRecord =
  | { readonly state: 'attaching' | 'attached'; readonly attachment: Attachment; /** Name of the link on the node's side; missing for mode `none`. */ readonly hostLink?: string }
  | { readonly state: 'released'; readonly containerId: ContainerId; readonly address: string; readonly releasedAtMs: number };

export type LiveRecord = Extract<AttachmentRecord, { attachment: Attachment }>;

export const isLive = (record: AttachmentRecord): record is LiveRecord => record.state !== 'released';

export const containerOf = (record: AttachmentRecord): ContainerId => isLive(record) ? record.attachment.containerId : record.containerId;

/** Subnet of the record's address in the form it was configured; undefined for mode `none` and released addresses. */
export const addressOf = (record: AttachmentRecord): string | undefined => isLive(record) ? record.attachment.addresses[0] : record.address;
