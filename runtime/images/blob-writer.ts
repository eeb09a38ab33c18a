import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../base/random.ts';
import { spaceError } from './content.ts';

/** A finished temporary file. */
export type WrittenFile = { readonly path: string; readonly digest: string; readonly sizeBytes: number };

/** A new name in `directory`. */
export const temporaryPath = (directory: string, random: Random): string => join(directory, Buffer.from(random.bytes(12)).toString('hex'));

/** Writes `source` to the new file `path`, hashing on the way. Leaves no file when it fails; throws ORCH_NO_SPACE when the disk is full. */
export async function writeHashed(path: string, source: AsyncIterable<Uint8Array>, what: string): Promise<WrittenFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    await using file = await open(path, 'wx', 0o600);
    for await (const chunk of source) {
      hash.update(chunk);
      await file.writeFile(chunk);
      sizeBytes += chunk.length;
    }
  } catch (error) {
    await rm(path, { force: true });
    throw spaceError(error, what);
  }
  return { path, digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}
