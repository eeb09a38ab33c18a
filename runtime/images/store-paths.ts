import { join } from 'node:path';
import { hexOf } from './content.ts';

export type StorePaths = {
  readonly root: string;
  /** `state.json`: the only record of what is complete; everything it does not name is a leftover. */
  readonly state: string;
  /** Content by digest: `blobs/sha256/<hex>`, as in an OCI layout. */
  readonly blobs: string;
  /** Unpacked layers, `l/<short name>`: overlayfs takes all lower directories in one page of text, so paths must be short. */
  readonly layers: string;
  /** One empty file `<user>~<hex of image id>` for every use of an image's layers. */
  readonly leases: string;
  /** What is being written; emptied at open. */
  readonly temporary: string;
  /** Disk kept for a full disk. */
  readonly reserve: string;
  /** Lower directory of images without layers. */
  readonly empty: string;
};

/** Where an image store keeps its files under `root`. */
export const storePaths = (root: string): StorePaths => ({
  root,
  state: join(root, 'state.json'),
  blobs: join(root, 'blobs', 'sha256'),
  layers: join(root, 'l'),
  leases: join(root, 'leases'),
  temporary: join(root, 'tmp'),
  reserve: join(root, 'reserve'),
  empty: join(root, 'empty'),
});

/** The file of a blob. */
export const blobPath = (paths: StorePaths, digest: string): string => join(paths.blobs, hexOf(digest));
