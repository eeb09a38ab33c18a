import { open, rm, stat } from 'node:fs/promises';
import { isErrno } from '../../base/files.ts';
import { isOrchError } from '../../model/errors.ts';

/** Room for a state file of several thousand images. */
const RESERVE_BYTES = 1024 * 1024;

/** Keeps some disk for the moment when the disk is full: removing images, too, has to write first. */
export class SpaceReserve {
  readonly #path: string;

  constructor(path: string) { this.#path = path; }

  /** Takes the reserve unless it is there; a disk without room for it is no error. */
  async fill(): Promise<void> {
    if (await this.#isFull()) return;
    try {
      await using file = await open(this.#path, 'w', 0o600);
      await file.writeFile(Buffer.alloc(RESERVE_BYTES));
    } catch (error) {
      if (!isErrno(error, 'ENOSPC') && !isErrno(error, 'EDQUOT')) throw error;
      await rm(this.#path, { force: true });
    }
  }

  /** Runs `write`; when the disk is full, once more with the reserve given up. The caller fills it again when there is room. */
  async spendOn(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!isOrchError(error, 'ORCH_NO_SPACE')) throw error;
      await rm(this.#path, { force: true });
      await write();
    }
  }

  async #isFull(): Promise<boolean> {
    try {
      return (await stat(this.#path)).size === RESERVE_BYTES;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
  }
}
