import koffi from 'koffi';
import { constants } from 'node:fs';
import { getSystemErrorName } from 'node:util';

/**
 * System calls that Node does not offer: everything relative to an open directory, device nodes, extended attributes.
 * Only the unpacking worker imports this, so that the daemon itself never loads koffi for images.
 * Names are text of one character per byte (latin1): file names need not be UTF-8.
 */

const AT_SYMLINK_NOFOLLOW = 0x100;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
/** RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS and RESOLVE_BENEATH: no path leaves the directory it starts from, whatever symbolic links say. */
const RESOLVE_WITHIN = 0x01n | 0x02n | 0x08n;
const RESOLVE_NO_SYMLINKS = 0x04n;
/** The same number on every architecture, as all system calls from 424 on. */
const SYS_OPENAT2 = 437;
const OPEN_HOW_BYTES = 24;

type NativeCall = (...args: readonly (number | bigint | Uint8Array)[]) => number;

const library = koffi.load(null);
const declare = (definition: string): NativeCall => library.func(definition);
const native = {
  openat2: declare('long syscall(long number, int directory, const void *path, const void *how, size_t size)'),
  openat: declare('int openat(int directory, const void *path, int flags, uint32_t mode)'),
  mkdirat: declare('int mkdirat(int directory, const void *path, uint32_t mode)'),
  mknodat: declare('int mknodat(int directory, const void *path, uint32_t mode, uint64_t device)'),
  symlinkat: declare('int symlinkat(const void *target, int directory, const void *path)'),
  linkat: declare('int linkat(int fromDirectory, const void *from, int toDirectory, const void *to, int flags)'),
  fchownat: declare('int fchownat(int directory, const void *path, uint32_t owner, uint32_t group, int flags)'),
  fchmodat: declare('int fchmodat(int directory, const void *path, uint32_t mode, int flags)'),
  utimensat: declare('int utimensat(int directory, const void *path, const void *times, int flags)'),
  lsetxattr: declare('int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)'),
  syncfs: declare('int syncfs(int fd)'),
  close: declare('int close(int fd)'),
};

/** A failed system call; `code` is the name of the error, such as `ENOSPC`. */
class SystemCallError extends Error {
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** A name inside an open directory: the descriptor and one path component. */
export type Place = { readonly directory: number; readonly name: string };

/** Seconds since the epoch, and nanoseconds within that second. */
export type FileTime = { readonly seconds: number; readonly nanoseconds: number };

export type DeviceNumber = { readonly major: number; readonly minor: number };

/**
 * Opens the directory at `path` beneath `root`, for use in paths only. Symbolic links that stay beneath are followed, or with `refuse` none at all;
 * any other path fails with EXDEV or ELOOP.
 */
export function openBeneath(root: number, path: string, links: 'follow' | 'refuse' = 'follow'): number {
  const how = Buffer.alloc(OPEN_HOW_BYTES);
  how.writeBigUInt64LE(BigInt(O_PATH | constants.O_DIRECTORY | O_CLOEXEC), 0);
  how.writeBigUInt64LE(links === 'follow' ? RESOLVE_WITHIN : RESOLVE_WITHIN | RESOLVE_NO_SYMLINKS, 16);
  return check('openat2', native.openat2(SYS_OPENAT2, root, cString(path), how, OPEN_HOW_BYTES));
}

/** Makes a new file and opens it for writing; fails with EEXIST whatever is there, a symbolic link too. */
export function createFile({ directory, name }: Place): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | O_CLOEXEC;
  return check('openat', native.openat(directory, cString(name), flags, 0o600));
}

export function makeDirectory({ directory, name }: Place): void {
  check('mkdirat', native.mkdirat(directory, cString(name), 0o700));
}

/** `type` is one of S_IFIFO, S_IFCHR and S_IFBLK. */
export function makeNode({ directory, name }: Place, type: number, device: DeviceNumber): void {
  check('mknodat', native.mknodat(directory, cString(name), type | 0o600, deviceId(device)));
}

export function makeSymlink({ directory, name }: Place, target: string): void {
  check('symlinkat', native.symlinkat(cString(target), directory, cString(name)));
}

/** A second name for the very file at `from`; a symbolic link there is linked itself, not followed. */
export function makeHardLink(from: Place, to: Place): void {
  check('linkat', native.linkat(from.directory, cString(from.name), to.directory, cString(to.name), 0));
}

/** Never follows a symbolic link. Clears setuid bits and capabilities, so it comes before them. */
export function changeOwner({ directory, name }: Place, uid: number, gid: number): void {
  check('fchownat', native.fchownat(directory, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW));
}

/** Follows symbolic links: only for what the caller has just made and knows to be none. */
export function changeMode({ directory, name }: Place, mode: number): void {
  check('fchmodat', native.fchmodat(directory, cString(name), mode, 0));
}

/** Sets both times; never follows a symbolic link. */
export function changeTime({ directory, name }: Place, time: FileTime): void {
  const times = Buffer.alloc(32);
  for (const offset of [0, 16]) {
    times.writeBigInt64LE(BigInt(time.seconds), offset);
    times.writeBigInt64LE(BigInt(time.nanoseconds), offset + 8);
  }
  check('utimensat', native.utimensat(directory, cString(name), times, AT_SYMLINK_NOFOLLOW));
}

/** Never follows a symbolic link at the last component. */
export function setExtendedAttribute(place: Place, attribute: string, value: Uint8Array): void {
  check('lsetxattr', native.lsetxattr(cString(pathOf(place)), cString(attribute), value, value.length, 0));
}

/** Waits until everything written to the file system that holds `fd` is on disk. */
export function syncFileSystem(fd: number): void {
  check('syncfs', native.syncfs(fd));
}

export function closeDescriptor(fd: number): void {
  check('close', native.close(fd));
}

/** A path that leads to the name through the open directory, for calls that take paths only. */
export const pathOf = ({ directory, name }: Place): string => `/proc/self/fd/${directory}/${name}`;

/** dev_t as glibc packs it. */
function deviceId({ major, minor }: DeviceNumber): bigint {
  const wideMajor = BigInt(major);
  const wideMinor = BigInt(minor);
  return ((wideMajor & 0xfffn) << 8n) | (wideMinor & 0xffn) | ((wideMinor & ~0xffn) << 12n) | ((wideMajor & ~0xfffn) << 32n);
}

const cString = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1');

function check(call: string, result: number): number {
  if (result >= 0) return result;
  throw new SystemCallError(call, getSystemErrorName(-koffi.errno()));
}
