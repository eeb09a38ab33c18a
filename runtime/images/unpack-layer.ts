import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { errorMessage, isOrchError, OrchError } from '../../model/errors.ts';
import { decompressed } from './decompress.ts';
import { LayerTree, normalizePath } from './layer-tree.ts';
import { printable } from './tar-entry.ts';
import type { TarEntry } from './tar-entry.ts';
import { TarReader } from './tar-reader.ts';
import type { UnpackRequest, UnpackResult } from './unpack-protocol.ts';

const WHITEOUT_PREFIX = '.wh.';
/** Notes of the aufs driver that packed the layer, none of its content. */
const AUFS_PREFIX = '.wh..wh.';
const OPAQUE_NAME = '.wh..wh..opq';
const READ_BYTES = 1024 * 1024;

type Steps = { readonly signal: AbortSignal; readonly onProgress: (readBytes: number) => void };

/**
 * Unpacks one layer, compressed or not, into the empty directory `request.directory`, in one pass over the file: whiteouts become those of overlayfs.
 * Throws ORCH_CORRUPT (damaged, cut short, wrong diff id, an entry that leads outside), ORCH_UNSUPPORTED, ORCH_NO_SPACE; rejects with the signal's reason when aborted.
 * What it has written then stays for the caller to remove.
 */
export async function unpackLayer(request: UnpackRequest, { signal, onProgress }: Steps): Promise<UnpackResult> {
  const hash = createHash('sha256');
  const reader = new TarReader();
  const file = createReadStream(request.archivePath, { highWaterMark: READ_BYTES });
  using tree = new LayerTree(request.directory);
  using extractor = new LayerExtractor(tree);
  for await (const chunk of decompressed(file)) {
    signal.throwIfAborted();
    hash.update(chunk);
    for (const event of reader.push(chunk)) {
      if (event.kind === 'entry') extractor.begin(event.entry);
      else extractor.write(event.data);
    }
    onProgress(file.bytesRead);
  }
  reader.finish({ strict: request.diffId === undefined });
  extractor.finish();
  const diffId = `sha256:${hash.digest('hex')}`;
  if (request.diffId !== undefined && diffId !== request.diffId) {
    throw new OrchError('ORCH_CORRUPT', `The unpacked content has the digest ${diffId}, but the image configuration says ${request.diffId}`);
  }
  return { diffId, sizeBytes: extractor.sizeBytes, opaqueRoot: tree.opaqueRoot, skippedAttributes: [...tree.skippedAttributes] };
}

/** Turns the entries of one archive into files of a tree; errors name the entry. */
class LayerExtractor implements Disposable {
  readonly #tree: LayerTree;
  #file: { readonly path: string; left: number; readonly target: ReturnType<LayerTree['addFile']> } | undefined;
  sizeBytes = 0;

  constructor(tree: LayerTree) { this.#tree = tree; }

  [Symbol.dispose](): void {
    this.#file?.target.abandon();
    this.#file = undefined;
  }

  begin(entry: TarEntry): void {
    naming(entry.path, () => this.#begin(entry));
  }

  write(data: Buffer): void {
    const file = this.#file;
    if (file === undefined) return; // content of a whiteout
    naming(file.path, () => {
      file.target.write(data);
      file.left -= data.length;
      if (file.left === 0) this.#endFile();
    });
  }

  finish(): void {
    naming('', () => this.#tree.finish());
  }

  #begin(entry: TarEntry): void {
    const path = normalizePath(entry.path);
    if (path === undefined) throw new OrchError('ORCH_CORRUPT', `The entry "${printable(entry.path)}" leads out of the layer`);
    if ([entry.linkPath, ...entry.extendedAttributes.keys()].some((text) => text.includes('\0'))) {
      throw new OrchError('ORCH_CORRUPT', `The entry "${printable(path)}" has a name with a zero byte`);
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.startsWith(WHITEOUT_PREFIX)) this.#addWhiteout(path, name);
    else if (path === '' && entry.type !== 'directory') throw new OrchError('ORCH_CORRUPT', 'The root of the layer is no directory');
    else if (entry.type !== 'file') this.#tree.add(path, entry);
    else this.#addFile(path, entry);
  }

  #addFile(path: string, entry: TarEntry): void {
    this.sizeBytes += entry.sizeBytes;
    this.#file = { path, left: entry.sizeBytes, target: this.#tree.addFile(path, entry) };
    if (entry.sizeBytes === 0) this.#endFile();
  }

  #endFile(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.target.finish();
  }

  #addWhiteout(path: string, name: string): void {
    const directory = path.slice(0, Math.max(0, path.length - name.length - 1));
    if (name === OPAQUE_NAME) return this.#tree.addOpaque(directory);
    if (name.startsWith(AUFS_PREFIX)) return;
    const hidden = name.slice(WHITEOUT_PREFIX.length);
    if (hidden === '' || hidden === '.' || hidden === '..') throw new OrchError('ORCH_CORRUPT', `The entry "${printable(path)}" hides no file of its directory`);
    this.#tree.addWhiteout(directory === '' ? hidden : `${directory}/${hidden}`);
  }
}

const noSpace = new Set(['ENOSPC', 'EDQUOT']);
/** What only the content of an archive can cause: names and paths too long, loops, impossible arguments. */
const badContent = new Set(['ENAMETOOLONG', 'ELOOP', 'EXDEV', 'ENOTDIR', 'EINVAL', 'EISDIR', 'ENOENT', 'EMLINK', 'ERANGE', 'E2BIG']);

/** Runs `step`; a failed system call becomes an OrchError that names the entry. */
function naming(path: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (isOrchError(error)) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const what = `The entry "${printable(path)}" cannot be written: ${errorMessage(error)}`;
    if (noSpace.has(code)) throw new OrchError('ORCH_NO_SPACE', 'The disk is full', { cause: error });
    throw new OrchError(badContent.has(code) ? 'ORCH_CORRUPT' : 'ORCH_RUNTIME', what, { cause: error });
  }
}
