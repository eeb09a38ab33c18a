import { createHash } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { OrchError } from '../../model/errors.ts';
import type { WrittenFile } from './blob-writer.ts';
import { spaceError } from './content.ts';
import { decompressed } from './decompress.ts';
import { printable } from './tar-entry.ts';
import type { TarEntry } from './tar-entry.ts';
import { TarReader } from './tar-reader.ts';

const MAX_ENTRIES = 100_000;
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MAX_LINKS = 8;

/** The files of an image archive, written out under names of our own: nothing of the archive's names reaches the file system. */
export class ArchiveSpool {
  readonly #directory: string;
  readonly #files = new Map<string, WrittenFile>();
  /** Archives of old Docker versions name a layer twice by a link. */
  readonly #links = new Map<string, string>();

  #nextFile = 0;

  private constructor(directory: string) { this.#directory = directory; }

  /** Reads a tar archive (also gzip or zstd) to its end into the new directory `directory`. Throws ORCH_CORRUPT, ORCH_UNSUPPORTED and ORCH_NO_SPACE; the directory stays for the caller to remove. */
  static async read(archive: AsyncIterable<Uint8Array>, directory: string): Promise<ArchiveSpool> {
    const spool = new ArchiveSpool(directory);
    await mkdir(directory);
    try {
      await spool.#read(archive);
    } catch (error) {
      throw spaceError(error, 'The image archive cannot be unpacked');
    }
    return spool;
  }

  /** The file of that name, followed through links; undefined when there is none. */
  file(name: string): WrittenFile | undefined {
    let current = posix.normalize(name);
    for (let step = 0; step < MAX_LINKS; step += 1) {
      const target = this.#links.get(current);
      if (target === undefined) break;
      current = target;
    }
    return this.#files.get(current);
  }

  /** The text of a small file; undefined when there is none. */
  async text(name: string): Promise<string | undefined> {
    const file = this.file(name);
    if (file === undefined) return undefined;
    if (file.sizeBytes > MAX_DOCUMENT_BYTES) throw new OrchError('ORCH_CORRUPT', `The image archive has a "${name}" of ${file.sizeBytes} bytes`);
    return await readFile(file.path, 'utf8');
  }

  async #read(archive: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = new TarReader();
    await using current = new SpoolFile();
    for await (const chunk of decompressed(archive)) {
      for (const event of reader.push(chunk)) {
        if (event.kind === 'data') await current.write(event.data);
        else await this.#begin(event.entry, current);
        if (current.isComplete) this.#files.set(current.name, await current.end());
      }
    }
    reader.finish({ strict: false });
    if (this.#files.size === 0) throw new OrchError('ORCH_CORRUPT', 'The image archive is empty or no tar archive');
  }

  async #begin(entry: TarEntry, current: SpoolFile): Promise<void> {
    const name = posix.normalize(printable(entry.path));
    if (this.#files.size + this.#links.size >= MAX_ENTRIES) throw new OrchError('ORCH_CORRUPT', `The image archive has more than ${MAX_ENTRIES} files`);
    this.#files.delete(name);
    this.#links.delete(name);
    if (entry.type === 'file') await current.begin({ name, path: join(this.#directory, String(this.#nextFile++)), sizeBytes: entry.sizeBytes });
    if (entry.type === 'symlink') this.#links.set(name, posix.join(dirname(name), printable(entry.linkPath)));
    if (entry.type === 'hard-link') this.#links.set(name, posix.normalize(printable(entry.linkPath)));
  }
}

/** The file being written. */
class SpoolFile implements AsyncDisposable {
  #handle: FileHandle | undefined;
  #path = '';
  #sizeBytes = 0;
  #left = 0;
  #hash = createHash('sha256');
  name = '';

  async begin(file: { readonly name: string; readonly path: string; readonly sizeBytes: number }): Promise<void> {
    this.#handle = await open(file.path, 'wx', 0o600);
    this.#path = file.path;
    this.#sizeBytes = file.sizeBytes;
    this.#left = file.sizeBytes;
    this.#hash = createHash('sha256');
    this.name = file.name;
  }

  get isComplete(): boolean {
    return this.#handle !== undefined && this.#left === 0;
  }

  async write(data: Buffer): Promise<void> {
    this.#hash.update(data);
    await this.#handle?.writeFile(data);
    this.#left -= data.length;
  }

  async end(): Promise<WrittenFile> {
    await this[Symbol.asyncDispose]();
    return { path: this.#path, digest: `sha256:${this.#hash.digest('hex')}`, sizeBytes: this.#sizeBytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
}
