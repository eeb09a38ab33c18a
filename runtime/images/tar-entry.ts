/** What a tar header describes. Names are text of one character per byte (latin1), as they stand in the archive. */
export type TarEntry = {
  readonly type: 'file' | 'directory' | 'symlink' | 'hard-link' | 'character-device' | 'block-device' | 'fifo';
  readonly path: string;
  /** Target of a symbolic or hard link, else empty. */
  readonly linkPath: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 for everything but files. */
  readonly sizeBytes: number;
  readonly time: { readonly seconds: number; readonly nanoseconds: number };
  readonly device: { readonly major: number; readonly minor: number };
  readonly extendedAttributes: ReadonlyMap<string, Buffer>;
};

/** The text people read of a name that is kept byte by byte. */
export const printable = (name: string): string => Buffer.from(name, 'latin1').toString('utf8');
