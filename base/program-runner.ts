export type ProgramOptions = {
  /** What the program reads from standard input; empty when missing. */
  readonly stdin?: string | Uint8Array;
  /** Path of a network namespace to enter before the program starts. */
  readonly netns?: string;
  /** The whole environment of the program; a plain PATH when missing. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute; `/` when missing. */
  readonly cwd?: string;
  /** The program is killed after this time and the call rejects with ORCH_TIMEOUT. Default 60 s. */
  readonly timeoutMs?: number;
  /** Kills the program and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
};

/** A program that ended. Output is UTF-8 text, cut after 1 MiB a stream. */
export type ProgramResult = {
  /** 0-255, or 128 + signal number when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs programs without forking the daemon itself, whose fork blocks the event loop longer the bigger its heap is. */
export interface ProgramRunner {
  /** Runs `argv[0]` (found by PATH unless it holds a slash) to its end; a non-zero exit code is a result, not an error. Throws ORCH_RUNTIME when it could not be started. */
  run(argv: readonly string[], options?: ProgramOptions): Promise<ProgramResult>;
}
