import { closeSync, constants, lstatSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { isErrno } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import * as libc from './libc.ts';
import { printable } from './tar-entry.ts';
import type { TarEntry } from './tar-entry.ts';

const OPAQUE = { name: 'trusted.overlay.opaque', value: Buffer.from('y') };
const nodeTypes = { 'character-device': constants.S_IFCHR, 'block-device': constants.S_IFBLK, fifo: constants.S_IFIFO } as const;
const WHITEOUT = { major: 0, minor: 0 };

/**
 * A directory that a layer is unpacked into, seen by nobody else meanwhile. Everything goes through descriptors of directories
 * that the kernel resolves beneath the root, new names never replace what a symbolic link points at, and owner, mode and times never follow one:
 * no entry can reach outside, whatever came before it.
 */
export class LayerTree implements Disposable {
  readonly #root: number;
  readonly #uid = process.geteuid?.();
  readonly #gid = process.getegid?.();
  /** Entries mostly come directory by directory. */
  #lastParent: { readonly path: string; readonly directory: number } | undefined;
  /** Set at the end, because making children changes a directory's time and its mode may forbid them. */
  readonly #directories = new Map<string, TarEntry>();
  /** Extended attributes that were left out, by name. */
  readonly skippedAttributes = new Set<string>();
  /** True when the layer hides everything below it. */
  opaqueRoot = false;

  /** `rootDir` must exist and be empty. */
  constructor(rootDir: string) {
    this.#root = openSync(rootDir, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  [Symbol.dispose](): void {
    this.#forgetParent();
    closeSync(this.#root); // opened by Node, which keeps book of what a thread has open
  }

  /** Makes anything but a file with content. `path` is normalized: no leading slash, no `.` or `..`; empty for the root. */
  add(path: string, entry: TarEntry): void {
    if (entry.type === 'directory') this.#addDirectory(path, entry);
    else if (entry.type === 'hard-link') this.#addHardLink(path, entry);
    else if (entry.type === 'symlink') this.#addSymlink(path, entry);
    else if (entry.type !== 'file') this.#addNode(path, entry, nodeTypes[entry.type]);
  }

  /** Makes a file to be written through the result, whose `finish` sets owner, mode, attributes and time and must be called even after a failure. */
  addFile(path: string, entry: TarEntry): { write(data: Buffer): void; finish(): void; abandon(): void } {
    const place = this.#place(path);
    const fd = this.#replacing(place, () => libc.createFile(place));
    return {
      write: (data) => { for (let written = 0; written < data.length;) written += writeSync(fd, data, written); },
      finish: () => {
        libc.closeDescriptor(fd);
        this.#applyMetadata(place, entry);
      },
      abandon: () => libc.closeDescriptor(fd),
    };
  }

  /** Makes the mark by which overlayfs hides `path` of lower layers; what this layer itself has there stays visible. */
  addWhiteout(path: string): void {
    if (!this.#mayHide(path)) return;
    const place = this.#place(path);
    try {
      libc.makeNode(place, constants.S_IFCHR, WHITEOUT);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      if (lookAt(place)?.isDirectory()) libc.setExtendedAttribute(place, OPAQUE.name, OPAQUE.value);
    }
  }

  /** Hides everything that lower layers have in the directory at `path`. */
  addOpaque(path: string): void {
    if (path === '') {
      this.opaqueRoot = true;
      return;
    }
    if (!this.#mayHide(`${path}/x`)) return;
    const place = this.#place(path);
    this.#makeMissing(place);
    libc.setExtendedAttribute(place, OPAQUE.name, OPAQUE.value);
  }

  /** Sets what could not be set on directories before their children were there. */
  finish(): void {
    for (const [path, entry] of [...this.#directories].reverse()) {
      const place = this.#placeIfAny(path);
      if (place !== undefined && lookAt(place)?.isDirectory()) this.#applyMetadata(place, entry);
    }
    this.#directories.clear();
  }

  #addDirectory(path: string, entry: TarEntry): void {
    this.#directories.delete(path);
    this.#directories.set(path, entry);
    if (path !== '') this.#makeMissing(this.#place(path));
  }

  #addHardLink(path: string, entry: TarEntry): void {
    const target = normalizePath(entry.linkPath);
    if (target === undefined || target === '') throw new OrchError('ORCH_CORRUPT', `The entry "${printable(path)}" is a hard link to "${printable(entry.linkPath)}", outside the layer`);
    if (target === path) return;
    const { directory, name } = splitPath(target);
    // Not the cached descriptor, which may change while the parents of `path` are looked up.
    const fd = this.#openDirectory(directory, path);
    try {
      const place = this.#place(path);
      this.#replacing(place, () => libc.makeHardLink({ directory: fd, name }, place));
    } catch (error) {
      if (!isErrno(error, 'ENOENT') && !isErrno(error, 'EPERM')) throw error;
      throw new OrchError('ORCH_CORRUPT', `The entry "${printable(path)}" is a hard link to "${printable(target)}", which is no file of the layer`, { cause: error });
    } finally {
      libc.closeDescriptor(fd);
    }
  }

  #addSymlink(path: string, entry: TarEntry): void {
    const place = this.#place(path);
    this.#replacing(place, () => libc.makeSymlink(place, entry.linkPath));
    this.#applyOwner(place, entry);
    this.#applyAttributes(place, entry);
    libc.changeTime(place, entry.time);
  }

  #addNode(path: string, entry: TarEntry, type: number): void {
    const place = this.#place(path);
    this.#replacing(place, () => libc.makeNode(place, type, entry.device));
    this.#applyMetadata(place, entry);
  }

  #applyMetadata(place: libc.Place, entry: TarEntry): void {
    this.#applyOwner(place, entry);
    libc.changeMode(place, entry.mode);
    this.#applyAttributes(place, entry);
    libc.changeTime(place, entry.time);
  }

  /** New files belong to us; no directory passes on its group, because none has its setgid bit before the end. */
  #applyOwner(place: libc.Place, { uid, gid }: TarEntry): void {
    if (uid !== this.#uid || gid !== this.#gid) libc.changeOwner(place, uid, gid);
  }

  #applyAttributes(place: libc.Place, entry: TarEntry): void {
    for (const [name, value] of entry.extendedAttributes) {
      if (!belongsInImage(name) || !trySetAttribute(place, name, value)) this.skippedAttributes.add(name);
    }
  }

  /** Runs `make`; when something else has the name, that goes first. A directory in place of a whiteout stays opaque. */
  #replacing<T>(place: libc.Place, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    removeAll(place);
    return make();
  }

  /** Makes the directory unless there is one; anything else that has the name goes. */
  #makeMissing(place: libc.Place): void {
    try {
      libc.makeDirectory(place);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      const found = lookAt(place);
      if (found?.isDirectory()) return;
      removeAll(place);
      libc.makeDirectory(place);
      if (found !== undefined && isWhiteout(found)) libc.setExtendedAttribute(place, OPAQUE.name, OPAQUE.value);
    }
    libc.changeMode(place, 0o755);
  }

  /** Where `path` stands, with its parents made when the layer does not list them. The descriptor is good until the next call. */
  #place(path: string): libc.Place {
    const { directory, name } = splitPath(path);
    if (this.#lastParent?.path !== directory) {
      const opened = this.#openDirectory(directory, path);
      this.#forgetParent();
      this.#lastParent = { path: directory, directory: opened };
    }
    return { directory: this.#lastParent.directory, name };
  }

  /** Where `path` stands; undefined when a later entry took away its parent. */
  #placeIfAny(path: string): libc.Place | undefined {
    if (path === '') return { directory: this.#root, name: '.' };
    const { directory, name } = splitPath(path);
    if (this.#lastParent?.path === directory) return { directory: this.#lastParent.directory, name };
    this.#forgetParent();
    try {
      this.#lastParent = { path: directory, directory: libc.openBeneath(this.#root, directory) };
    } catch (error) {
      if (leadsOut(error) || isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
    return { directory: this.#lastParent.directory, name };
  }

  #openDirectory(path: string, entryPath: string): number {
    try {
      return libc.openBeneath(this.#root, path);
    } catch (error) {
      const mayBeMissing = isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR');
      if (!mayBeMissing) throw leadsOut(error) ? escapes(entryPath, error) : error;
    }
    const { directory, name } = splitPath(path);
    const parent = this.#openDirectory(directory, entryPath);
    try {
      const place = { directory: parent, name };
      const found = lookAt(place);
      // What exists and yet cannot be opened is a file, or a symbolic link to nothing.
      if (found !== undefined && !found.isDirectory() && !isWhiteout(found)) throw escapes(entryPath);
      this.#makeMissing(place);
    } finally {
      libc.closeDescriptor(parent);
    }
    return libc.openBeneath(this.#root, path);
  }

  /**
   * False when this layer has something other than a directory on the way to `path`: that alone hides what lower layers have there.
   * Tools write such whiteouts for the content of a directory that became a file or symbolic link; following the link would hide the wrong file.
   */
  #mayHide(path: string): boolean {
    try {
      libc.closeDescriptor(libc.openBeneath(this.#root, splitPath(path).directory, 'refuse'));
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return true;
      if (leadsOut(error)) return false;
      throw error;
    }
  }

  #forgetParent(): void {
    if (this.#lastParent !== undefined) libc.closeDescriptor(this.#lastParent.directory);
    this.#lastParent = undefined;
  }
}

/** `path` of an archive without leading slash, empty components and `.`; undefined when it has `..` or a NUL. */
export function normalizePath(path: string): string | undefined {
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  return components.includes('..') || path.includes('\0') ? undefined : components.join('/');
}

function splitPath(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { directory: slash < 0 ? '.' : path.slice(0, slash), name: path.slice(slash + 1) };
}

const isWhiteout = (found: Stats): boolean => found.isCharacterDevice() && found.rdev === 0;

const lookAt = (place: libc.Place): Stats | undefined => lstatSync(Buffer.from(libc.pathOf(place), 'latin1'), { throwIfNoEntry: false });

const removeAll = (place: libc.Place): void => rmSync(Buffer.from(libc.pathOf(place), 'latin1'), { recursive: true });

/** EXDEV: a symbolic link leads above the root; ELOOP: round in circles; ENOTDIR: a parent is no directory. */
const leadsOut = (error: unknown): boolean => isErrno(error, 'EXDEV') || isErrno(error, 'ELOOP') || isErrno(error, 'ENOTDIR');

const escapes = (path: string, cause?: unknown): OrchError =>
  new OrchError('ORCH_CORRUPT', `The entry "${printable(path)}" lies behind a symbolic link or file that leads out of the layer`, { cause });

/**
 * Overlayfs keeps its own state in trusted.overlay.* and user.overlay.*, where a forged value could point outside the layer;
 * the other security.* attributes are labels of the host that packed the layer.
 */
const belongsInImage = (attribute: string): boolean =>
  attribute === 'security.capability' || attribute.startsWith('system.posix_acl_') || (attribute.startsWith('user.') && !attribute.startsWith('user.overlay.'));

/** False when the file system cannot keep it. */
function trySetAttribute(place: libc.Place, name: string, value: Buffer): boolean {
  try {
    libc.setExtendedAttribute(place, name, value);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTSUP') || isErrno(error, 'EOPNOTSUPP')) return false;
    throw error;
  }
}
