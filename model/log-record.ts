export type LogStream = 'stdout' | 'stderr';
export type LogRecord = { readonly stream: LogStream; /** ns since the epoch fit no double: RFC 3339 with nanoseconds. */ readonly time: string; /** Text without its newline, bytes as they were. */ readonly line: Uint8Array; /** True when the process had not ended the line yet. */ readonly partial: boolean };

export type LogQuery = {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Only records at or after this time, ms since the epoch; 0 is all. */
  readonly sinceMs: number;
  /** Only records before this time; 0 is no end. */
  readonly untilMs: number;
  /** Last lines to begin with; Infinity is all. */
  readonly tail: number;
};
