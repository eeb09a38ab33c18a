import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getSystemErrorMessage } from 'node:util';
import type { Clock } from '../base/clock.ts';
import type { ProgramOptions, ProgramResult, ProgramRunner } from '../base/program-runner.ts';
import { OrchError } from '../model/errors.ts';
import { FrameConnection } from './shim/frame-connection.ts';
import { frameTypes, type Frame, type FrameField } from './shim/frames.ts';

export type ShimOptions = {
  /** Path of the orch-shim program. */
  readonly binary: string;
  /** Where its server listens; one per daemon, at most 107 bytes, in a directory that exists. */
  readonly socket: string;
  readonly clock: Clock;
};

/** An overlay file system. `upper` and `work` are both given, or both missing for a read-only view. */
export type Overlay = { readonly target: string; readonly lower: readonly string[]; readonly upper?: string; readonly work?: string };

export type MonitorStart = {
  /** The OCI runtime's command; it must exit once the container runs, its pid written to `pidPath`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Mounted before the command, visible to it and the container only. */
  readonly overlay?: Overlay;
  readonly controlSocket: string;
  /** Takes the container's terminal from the runtime; missing without one. */
  readonly consoleSocket?: string;
  readonly logPath: string;
  readonly exitPath: string;
  readonly pidPath: string;
  /** Where the runtime writes its errors. */
  readonly runtimeLog: string;
  /** cgroup files with a line `oom_kill N`, read when the container has exited. */
  readonly oomFiles: readonly string[];
  /** Repeated in the exit file, to tell the runs of one container apart. */
  readonly runNumber: string;
};

export type MonitorStarted =
  | { readonly ok: true; readonly pid: number; readonly startedAtMs: number }
  /** `stage` names the step that failed, `reason` is the error number in words (empty for 0), `text` is what the runtime wrote. */
  | { readonly ok: false; readonly stage: string; readonly errno: number; readonly reason: string; readonly text: string };

const DEFAULT_TIMEOUT_MS = 60_000;
const CONNECT_LIMIT_MS = 5000;
const CONNECT_PAUSE_MS = 10;
const SOCKET_PATH_BYTES = 107;
const ALREADY_RUNNING = 3;
const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The daemon's connection to its fork server, which it starts when none listens. Nothing else in the daemon starts processes. */
export class ShimClient implements ProgramRunner, AsyncDisposable {
  readonly #options: ShimOptions;
  #connecting: Promise<FrameConnection> | undefined;
  #disposed = false;

  private constructor(options: ShimOptions) { this.#options = options; }

  /** Connects to the server at the socket, or starts one. Throws ORCH_RUNTIME when that fails, ORCH_INVALID for too long a path. */
  static async open(options: ShimOptions): Promise<ShimClient> {
    if (Buffer.byteLength(options.socket) > SOCKET_PATH_BYTES) throw new OrchError('ORCH_INVALID', `"${options.socket}" is too long a path for a unix socket: it has at most ${SOCKET_PATH_BYTES} bytes`);
    const client = new ShimClient(options);
    await client.#connect();
    return client;
  }

  async run(argv: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
    options.signal?.throwIfAborted();
    const [program = ''] = argv;
    const connection = await this.#connect();
    const { request, answer } = connection.send(frameTypes.run, runFields(argv, options));
    const watch = new AbortController();
    const stopping = new AbortController();
    const stop = (reason: unknown): void => {
      stopping.abort(reason);
      connection.notify(frameTypes.cancel, request);
    };
    const onAbort = (): void => stop(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#options.clock.sleep(timeoutMs, watch.signal).then(
      () => stop(new OrchError('ORCH_TIMEOUT', `"${program}" did not end within ${timeoutMs} ms and was killed`)),
      () => { /* ended in time */ },
    );
    try {
      const frame = await answer;
      stopping.signal.throwIfAborted();
      return programResult(program, frame);
    } finally {
      watch.abort();
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Starts a container under a monitor of its own; calls `onSent` when the request is in the server's socket. Rejects with ConnectionLost when the server died meanwhile: the monitor may live and must be asked. */
  async startContainer(start: MonitorStart, onSent: () => void): Promise<MonitorStarted> {
    const connection = await this.#connect();
    const { answer } = connection.send(frameTypes.start, startFields(start));
    onSent();
    const frame = await answer;
    if (frame.type === frameTypes.started) {
      return { ok: true, pid: frame.number('pid', 0), startedAtMs: Number(frame.bigint('startedAtNs') / 1_000_000n) };
    }
    return { ok: false, stage: frame.text('stage'), errno: frame.number('errno', 0), reason: errnoText(frame), text: frame.text('text') };
  }

  /** Content of files of a root file system, symlinks resolved inside of it; empty for what is no readable file. At most 1 MiB each. */
  async readRootFiles(overlay: Overlay, paths: readonly string[]): Promise<readonly Buffer[]> {
    const connection = await this.#connect();
    const fields: FrameField[] = [...overlayFields(overlay), ...paths.map((path): FrameField => ['path', path])];
    const frame = await connection.send(frameTypes.readRoot, fields).answer;
    if (frame.type === frameTypes.rootFiles) return frame.all('content');
    throw new OrchError('ORCH_RUNTIME', `Cannot read the root file system at ${overlay.target}: ${frame.text('stage')}: ${errnoText(frame)}`);
  }

  /** Ends the server once its programs have ended; containers and their monitors go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const connection = await this.#connecting?.catch(() => undefined);
    if (!connection) return;
    connection.notify(frameTypes.shutdown, 0);
    connection[Symbol.dispose]();
    await connection.closed;
  }

  #connect(): Promise<FrameConnection> {
    if (this.#disposed) return Promise.reject(new OrchError('ORCH_RUNTIME', 'orch-shim is shutting down'));
    this.#connecting ??= this.#openConnection();
    return this.#connecting;
  }

  async #openConnection(): Promise<FrameConnection> {
    try {
      const connection = await this.#reachServer();
      void connection.closed.then(() => { this.#connecting = undefined; });
      return connection;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }

  /** A server that is just leaving may still accept, or still hold the lock: try again for a while. */
  async #reachServer(): Promise<FrameConnection> {
    const { clock, socket } = this.#options;
    const endMs = clock.monotonic() + CONNECT_LIMIT_MS;
    for (;;) {
      const connection = await FrameConnection.open(socket, 'orch-shim');
      const greeted = await connection?.send(frameTypes.hello).answer.catch(() => undefined);
      if (connection && greeted) return connection;
      if (clock.monotonic() >= endMs) throw new OrchError('ORCH_RUNTIME', `orch-shim does not answer at ${socket}`);
      if (!connection) await this.#spawnServer();
      else await clock.sleep(CONNECT_PAUSE_MS);
    }
  }

  async #spawnServer(): Promise<void> {
    const { binary, clock, socket } = this.#options;
    const server = spawn(binary, [socket], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', env: { PATH: PROGRAM_PATH } });
    const messages: Buffer[] = [];
    server.stderr.on('data', (chunk: Buffer) => messages.push(chunk));
    const ready = once(server.stdout, 'data').then(() => 0);
    const outcome = await Promise.race([ready, once(server, 'exit').then(([code]) => Number(code))]);
    server.stdout.destroy();
    server.stderr.destroy();
    server.unref();
    if (outcome === ALREADY_RUNNING) await clock.sleep(CONNECT_PAUSE_MS);
    else if (outcome !== 0) throw new OrchError('ORCH_RUNTIME', `orch-shim could not start: ${Buffer.concat(messages).toString().trim()}`);
  }
}

function runFields(argv: readonly string[], options: ProgramOptions): FrameField[] {
  const env = options.env ?? { PATH: PROGRAM_PATH };
  return [
    ...argv.map((arg): FrameField => ['arg', arg]),
    ...Object.entries(env).map(([name, value]): FrameField => ['env', `${name}=${value}`]),
    ...(options.cwd === undefined ? [] : [['cwd', options.cwd] satisfies FrameField]),
    ...(options.netns === undefined ? [] : [['netns', options.netns] satisfies FrameField]),
    ...(options.stdin === undefined ? [] : [['stdin', options.stdin] satisfies FrameField]),
  ];
}

function overlayFields(overlay: Overlay): FrameField[] {
  return [
    ['overlayTarget', overlay.target],
    ...overlay.lower.map((layer): FrameField => ['overlayLower', layer]),
    ...(overlay.upper === undefined ? [] : [['overlayUpper', overlay.upper] satisfies FrameField]),
    ...(overlay.work === undefined ? [] : [['overlayWork', overlay.work] satisfies FrameField]),
  ];
}

function startFields(start: MonitorStart): FrameField[] {
  return [
    ...start.argv.map((arg): FrameField => ['arg', arg]),
    ['env', `PATH=${PROGRAM_PATH}`],
    ['cwd', start.cwd],
    ...(start.overlay ? overlayFields(start.overlay) : []),
    ['controlSocket', start.controlSocket],
    ...(start.consoleSocket === undefined ? [] : [['consoleSocket', start.consoleSocket] satisfies FrameField]),
    ['logPath', start.logPath], ['exitPath', start.exitPath], ['pidPath', start.pidPath], ['runtimeLog', start.runtimeLog],
    ...start.oomFiles.map((path): FrameField => ['oomFile', path]),
    ['runNumber', start.runNumber],
  ];
}

function programResult(program: string, frame: Frame): ProgramResult {
  const stage = frame.text('stage');
  if (stage) {
    const why = stage === 'program' ? errnoText(frame) : `${stage}: ${errnoText(frame)}`;
    throw new OrchError('ORCH_RUNTIME', `Cannot run "${program}": ${why}`, { details: { errno: frame.number('errno', 0) } });
  }
  return { exitCode: frame.number('exitCode', -1), stdout: frame.all('stdout')[0]?.toString() ?? '', stderr: frame.all('stderr')[0]?.toString() ?? '' };
}

function errnoText(frame: Frame): string {
  const errno = frame.number('errno', 0);
  return errno > 0 ? getSystemErrorMessage(-errno) : '';
}
