import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errorMessage, OrchError } from '../../model/errors.ts';
import { spaceError } from '../images/content.ts';
import type { RegistryClient } from './registry-client.ts';
import { TransientFailure } from './registry-failure.ts';
import { waitToRetry } from './retry.ts';

export type BlobDownload = {
  readonly client: RegistryClient;
  readonly digest: string;
  readonly sizeBytes: number;
  /** File to make. */
  readonly path: string;
  /** The image that it belongs to, for messages. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((currentBytes: number) => void) | undefined;
};

const PROGRESS_STEP_BYTES = 512 * 1024;

/**
 * Downloads a blob into a new file. A connection that breaks is taken up where it broke; as long as each try brings bytes, tries do not run out.
 * Leaves no file when it fails: ORCH_CORRUPT when the content is not what the digest says, else as the registry client does.
 */
export async function downloadBlob(download: BlobDownload): Promise<void> {
  try {
    await using file = await open(download.path, 'wx', 0o600);
    await new BlobTransfer(download, file).run();
  } catch (error) {
    await rm(download.path, { force: true });
    throw error;
  }
}

class BlobTransfer {
  readonly #download: BlobDownload;
  readonly #file: FileHandle;
  #hash = createHash('sha256');
  #written = 0;
  #reported = 0;
  /** A whole download had the wrong digest: once may be the network's fault. */
  #wasWrong = false;

  constructor(download: BlobDownload, file: FileHandle) {
    this.#download = download;
    this.#file = file;
  }

  async run(): Promise<void> {
    const { client, signal } = this.#download;
    for (let failures = 0; ;) {
      const before = this.#written;
      try {
        return await this.#receive();
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof TransientFailure)) throw error;
        failures = this.#written > before ? 1 : failures + 1;
        await waitToRetry(error, failures, client.retryPolicy(signal));
      }
    }
  }

  /** One connection: everything from where we are to the end. */
  async #receive(): Promise<void> {
    const { client, digest, signal, sizeBytes, what } = this.#download;
    const { offset, body } = await client.openBlob(digest, this.#written, signal);
    if (offset === 0) await this.#restart();
    try {
      for await (const chunk of body) await this.#write(chunk);
    } catch (error) {
      if (this.#written < sizeBytes) throw client.failure(error);
    }
    if (this.#written < sizeBytes) throw client.failure(Object.assign(new Error(`the connection ended after ${this.#written} of ${sizeBytes} bytes`), { code: 'ECONNRESET' }));
    const actual = `sha256:${this.#hash.digest('hex')}`;
    if (actual === digest) return;
    const failure = new OrchError('ORCH_CORRUPT', `The registry sent content with the digest ${actual} as blob ${digest} of "${what}"`);
    if (this.#wasWrong) throw failure;
    this.#wasWrong = true;
    await this.#restart();
    throw new TransientFailure(failure);
  }

  async #write(chunk: Buffer): Promise<void> {
    const { sizeBytes, digest, what, onProgress } = this.#download;
    if (this.#written + chunk.length > sizeBytes) throw new OrchError('ORCH_CORRUPT', `The registry sent more than the ${sizeBytes} bytes of blob ${digest} of "${what}"`);
    await this.#store(chunk);
    this.#hash.update(chunk);
    this.#written += chunk.length;
    if (this.#written - this.#reported < PROGRESS_STEP_BYTES && this.#written < sizeBytes) return;
    this.#reported = this.#written;
    onProgress?.(this.#written);
  }

  async #store(chunk: Buffer): Promise<void> {
    try {
      for (let done = 0; done < chunk.length;) {
        done += (await this.#file.write(chunk, done, chunk.length - done, this.#written + done)).bytesWritten;
      }
    } catch (error) {
      const failure = spaceError(error, `"${this.#download.what}" cannot be stored`);
      throw failure instanceof OrchError ? failure : new OrchError('ORCH_RUNTIME', `"${this.#download.what}" cannot be stored: ${errorMessage(error)}`, { cause: error });
    }
  }

  async #restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash('sha256');
    this.#written = 0;
    this.#reported = 0;
  }
}
