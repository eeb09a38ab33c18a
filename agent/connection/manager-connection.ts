import { backoffDelayMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { isOrchError, OrchError } from '../../model/errors.ts';
import { openChannel } from '../../proto/channel.ts';
import type { ManagerMessage } from '../../proto/session-messages.ts';
import { formatTime } from '../../proto/time.ts';
import type { Identity } from '../identity/identity.ts';
import type { SessionOpener } from '../link.ts';
import { IdentityRenewal } from './identity-renewal.ts';
import { KnownManagers } from './known-managers.ts';
import { SessionStream } from './session-stream.ts';
import type { SessionEnd } from './session-stream.ts';

export type ManagerConnectionOptions = {
  readonly identity: Identity;
  /** Where a renewed identity is written. */
  readonly pkiDir: string;
  /** Managers known from elsewhere, HOST:PORT: those that the node joined through. */
  readonly managers: readonly string[];
  /** File that keeps the managers learned from sessions. */
  readonly managersFile: string;
  /** The agent behind the connection. */
  readonly agent: SessionOpener;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The node has a new certificate, already written; its sessions use it from now on. */
  readonly onIdentity: (identity: Identity) => void;
  /** A manager says that this node is no longer part of the cluster; the connection does not dial again. */
  readonly onRemoved: (error: OrchError) => void;
};

type ConnectionState =
  | { readonly type: 'connecting'; /** Why the last attempt failed, if there was one. */ readonly error?: OrchError }
  | { readonly type: 'connected'; readonly manager: string }
  | { readonly type: 'removed'; readonly error: OrchError }
  | { readonly type: 'closed' };

/** A node's life line to its cluster. Disposing it cuts the session without a word: the node is expected back. */
export type ManagerConnection = AsyncDisposable & {
  readonly state: ConnectionState;
  readonly identity: Identity;
  /** Every manager that the node knows, HOST:PORT. */
  readonly managers: readonly string[];
  /** Resolves with the first welcome. Rejects when the node was removed, and with the signal's reason. */
  connected(signal: AbortSignal): Promise<void>;
  /** Says goodbye, so that the manager sees the node leave at once, and ends the connection in order. `forGood`: it does not come back, its tasks should run elsewhere now. */
  goodbye(options: { readonly forGood: boolean }): Promise<void>;
};

const CONNECT_TIMEOUT_MS = 10_000;
const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 8_000;
/** A session that served this long was a good one: after it the first retry is at once again. */
const GOOD_SESSION_MS = 5_000;
/** A connection with a new certificate that fails is tried again after this time. */
const HAND_OVER_RETRY_MS = 10_000;

type OpenSession = { readonly stream: SessionStream; /** The one it was opened under. */ readonly identity: Identity };

/** Keeps a session with one of the cluster's managers until disposed: dials with jittered back-off, learns managers, renews the certificate in time and changes to a connection with the new one without a gap. */
export async function openManagerConnection(options: ManagerConnectionOptions): Promise<ManagerConnection> {
  const connection = new Connection(options, await KnownManagers.open(options.managersFile, options.managers));
  connection.start();
  return connection;
}

class Connection implements ManagerConnection {
  readonly #options: ManagerConnectionOptions;
  readonly #managers: KnownManagers;
  readonly #renewal: IdentityRenewal;
  readonly #abort = new AbortController();
  readonly #firstWelcome = Promise.withResolvers<void>();
  #running: Promise<unknown> = Promise.resolve();
  #stream: SessionStream | undefined;
  #state: ConnectionState = { type: 'connecting' };
  /** Attempts since the last good session. */
  #failures = 0;

  constructor(options: ManagerConnectionOptions, managers: KnownManagers) {
    this.#options = options;
    this.#managers = managers;
    this.#renewal = new IdentityRenewal({ ...options, channel: () => this.#stream?.welcomed ? this.#stream.channel : undefined });
    this.#firstWelcome.promise.catch(() => { /* whoever waits in connected() hears of it */ });
  }

  start(): void {
    this.#running = Promise.all([this.#run(), this.#renewal.run(this.#abort.signal)]);
  }

  get state(): ConnectionState { return this.#state; }
  get identity(): Identity { return this.#renewal.identity; }
  get managers(): readonly string[] { return this.#managers.list(); }

  async connected(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#firstWelcome.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async goodbye({ forGood }: { readonly forGood: boolean }): Promise<void> {
    const stream = this.#stream;
    this.#abort.abort();
    stream?.send({ type: 'goodbye', forGood });
    await stream?.retire();
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#stream?.cut(new OrchError('ORCH_UNREACHABLE', 'The connection to the manager was closed by this node'));
    await this.#running;
    this.#state = { type: 'closed' };
    this.#firstWelcome.reject(new OrchError('ORCH_UNREACHABLE', 'The connection to the manager was closed before its first session'));
  }

  /** One session after the other until stopped or removed. */
  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      const order = this.#managers.dialOrder(this.#options.random);
      for (const address of order.length > 0 ? order : [undefined]) {
        await this.#pause();
        if (this.#abort.signal.aborted) return;
        const end = address === undefined ? { error: noManagers(), servedMs: undefined } : await this.#serve(address);
        // A session that was served may end like this for another reason; the next one tells.
        if (isOrchError(end.error, 'ORCH_FORBIDDEN') && end.servedMs === undefined) return this.#removed(end.error);
        this.#noteEnd(end);
      }
    }
  }

  /** A session with this manager, through all changes of certificate, until it ends. Resolves with how; an attempt that fails is a session that was never served. */
  async #serve(address: string): Promise<SessionEnd> {
    let open: OpenSession;
    try {
      open = await this.#open(address);
    } catch (error) {
      if (isOrchError(error)) return { error, servedMs: undefined };
      throw error;
    }
    for (;;) {
      const end = await Promise.race([open.stream.ended, this.#renewal.changed(open.identity)]);
      if (end) return end;
      open = await this.#handOver(open);
    }
  }

  /** Opens a session under the new certificate, then ends the old one in order. Where that fails the old one goes on for a while: it is as good until it breaks. */
  async #handOver(old: OpenSession): Promise<OpenSession> {
    const { clock, log } = this.#options;
    try {
      const next = await this.#open(old.stream.address);
      await old.stream.retire();
      return next;
    } catch (error) {
      if (!isOrchError(error)) throw error;
      log.warn({ err: error, manager: old.stream.address }, 'the session goes on under the certificate before: no connection with the new one yet');
    }
    const stop = new AbortController();
    await Promise.race([old.stream.ended, clock.sleep(HAND_OVER_RETRY_MS, stop.signal).catch(() => { /* the session ended first */ })]);
    stop.abort();
    return old;
  }

  /** Connects and opens a session. Rejects with an OrchError that says what is wrong. */
  async #open(address: string): Promise<OpenSession> {
    const { agent, clock } = this.#options;
    const { identity } = this;
    const channel = openChannel(address, { type: 'mutual', ...identity });
    try {
      await channel.ready(CONNECT_TIMEOUT_MS, this.#abort.signal);
    } catch (error) {
      channel[Symbol.dispose]();
      throw error;
    }
    const stream: SessionStream = new SessionStream({ channel, agent, clock, onMessage: (message) => this.#receive(stream, message) });
    this.#stream = stream;
    return { stream, identity };
  }

  #receive(stream: SessionStream, message: ManagerMessage): void {
    if (message.type === 'renew-now') this.#renewal.renewNow();
    if (message.type !== 'welcome' || this.#stream !== stream) return;
    this.#state = { type: 'connected', manager: stream.address };
    this.#renewal.retryNow();
    this.#managers.prefer(stream.address);
    this.#managers.learn(message.managers).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the addresses of the managers could not be written');
    });
    this.#firstWelcome.resolve();
  }

  #noteEnd({ error, servedMs }: SessionEnd): void {
    this.#stream = undefined;
    this.#failures = (servedMs ?? 0) >= GOOD_SESSION_MS ? 1 : this.#failures + 1;
    if (this.#abort.signal.aborted) return;
    const shown = error && this.#explainExpiry(error);
    this.#state = { type: 'connecting', ...(shown ? { error: shown } : {}) };
    this.#options.log.warn({ err: shown, failures: this.#failures }, 'no session with a manager');
  }

  /** A manager can't tell an expired certificate from none; the node itself can. */
  #explainExpiry(error: OrchError): OrchError {
    const { notAfterMs } = this.identity;
    if (!isOrchError(error, 'ORCH_UNAUTHORIZED') || notAfterMs > this.#options.clock.now()) return error;
    return new OrchError('ORCH_UNAUTHORIZED', `This node's certificate expired at ${formatTime(notAfterMs)}`, {
      cause: error, hint: "If this node's clock is right, leave the cluster on this node and join again",
    });
  }

  /** None before the first attempt and the first retry. */
  async #pause(): Promise<void> {
    if (this.#failures < 2) return;
    const { clock, random } = this.#options;
    const delayMs = backoffDelayMs(this.#failures - 2, { baseMs: BASE_DELAY_MS, maxMs: MAX_DELAY_MS, random });
    await clock.sleep(delayMs, this.#abort.signal).catch(() => { /* the connection is being closed */ });
  }

  #removed(error: OrchError): void {
    this.#state = { type: 'removed', error };
    this.#abort.abort();
    this.#firstWelcome.reject(error);
    this.#options.onRemoved(error);
  }
}

const noManagers = (): OrchError => new OrchError('ORCH_UNREACHABLE', 'This node knows no address of a manager', { hint: 'Leave the cluster on this node and join again' });
