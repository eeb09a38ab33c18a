import type { ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { errorMessage, OrchError } from '../../model/errors.ts';
import type { LogRecord } from '../../model/log-record.ts';
import type { ManagerChannel } from '../../proto/channel.ts';
import { encodeAgentMessage } from '../../proto/convert/agent-message.ts';
import { decodeManagerMessage } from '../../proto/convert/manager-message.ts';
import { nodeControlMethods } from '../../proto/services.ts';
import type { AgentMessage, ManagerMessage } from '../../proto/session-messages.ts';
import { fromServiceError } from '../../proto/status.ts';
import type { AgentLink, AgentSession, SessionOpener } from '../link.ts';
import { uploadLogs } from './upload-logs.ts';

/** How a session's stream ended. */
export type SessionEnd = {
  /** Undefined when it ended in order. */
  readonly error: OrchError | undefined;
  /** Time since the manager's welcome, ms; undefined when it never said it. */
  readonly servedMs: number | undefined;
};

export type SessionStreamOptions = {
  readonly channel: ManagerChannel;
  readonly agent: SessionOpener;
  /** Sees every message before the agent does. */
  readonly onMessage: (message: ManagerMessage) => void;
  readonly clock: Clock;
};

/** A manager that does not say welcome in this time is given up. */
const WELCOME_TIMEOUT_MS = 15_000;
/** Missing answers to this many heartbeats in a row mean that the connection is dead, whatever TCP thinks. */
const MISSED_HEARTBEATS = 3;
/** Input that piled up while this process was busy gets this long to be read before the other end is blamed. */
const CATCH_UP_MS = 100;
/** How long the other end may take to finish a stream that we ended in order. */
const RETIRE_TIMEOUT_MS = 5_000;

/** One session's stream over one connection: notices when the other end is gone, and closes the connection with it. The agent sends the heartbeats. */
export class SessionStream implements AgentLink {
  readonly #options: SessionStreamOptions;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  /** Undefined only while the agent opens it. */
  #session: AgentSession | undefined;
  /** Aborted when the session has ended for the agent. */
  readonly #stop = new AbortController();
  /** Aborted when gRPC is done with the stream. */
  readonly #gone = new AbortController();
  /** We have ended our side: nothing more can be sent. */
  #closing = false;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  /** Aborted when the time that the watch waits for is another. */
  #wake = new AbortController();
  #end: SessionEnd | undefined;
  #heardAtMs: number;
  #welcomedAtMs: number | undefined;
  /** 0 until the manager has told it. */
  #heartbeatPeriodMs = 0;

  /** `channel` is connected and belongs to the stream from now on. */
  constructor(options: SessionStreamOptions) {
    this.#options = options;
    this.#heardAtMs = options.clock.monotonic();
    this.#call = options.channel.openStream(nodeControlMethods.session);
    this.#call.on('error', (error) => this.#finish(fromServiceError(error, options.channel.address)));
    const session = options.agent.openSession(this);
    this.#session = session;
    if (this.#end) session.closed(this.#end.error);
    this.#call.on('data', (bytes: Buffer) => this.#receive(session, bytes));
    this.#call.on('status', (status: StatusObject) => {
      this.#gone.abort();
      if (status.code === 0) this.#finish(undefined);
    });
    void this.#watch();
  }

  get address(): string { return this.#options.channel.address; }
  get channel(): ManagerChannel { return this.#options.channel; }
  get welcomed(): boolean { return this.#welcomedAtMs !== undefined; }
  /** Resolves once, when the stream is gone; never rejects. */
  get ended(): Promise<SessionEnd> { return this.#ended.promise; }

  send(message: AgentMessage): void {
    if (this.#closing || this.#stop.signal.aborted) return;
    this.#call.write(encodeAgentMessage(message));
  }

  async publishLogs(subscriptionId: string, records: AsyncIterable<LogRecord>): Promise<void> {
    await uploadLogs(this.#options.channel, subscriptionId, records);
  }

  /** What was sent before arrives in both cases; with an error the session is over at once, without waiting for the manager's end. */
  close(error?: Error): void {
    if (this.#stop.signal.aborted) return;
    this.#closing = true;
    this.#call.end();
    if (error) this.#finish(error instanceof OrchError ? error : new OrchError('ORCH_INTERNAL', errorMessage(error), { cause: error }));
  }

  /** Ends the stream without waiting for anything. */
  cut(error: OrchError): void {
    this.#finish(error);
    this.#call.cancel();
  }

  /** Ends the stream in order: what was sent before arrives. Resolves when it has ended, by force after a while. */
  async retire(): Promise<void> {
    this.close();
    const limit = this.#options.clock.sleep(RETIRE_TIMEOUT_MS, this.#stop.signal).then(() => this.#finish(undefined), () => { /* it has ended */ });
    await Promise.all([this.ended, limit]);
  }

  #receive(session: AgentSession, bytes: Buffer): void {
    if (this.#stop.signal.aborted) return;
    this.#heardAtMs = this.#options.clock.monotonic();
    try {
      const message = decodeManagerMessage(bytes);
      this.#note(message);
      this.#options.onMessage(message);
      session.receive(message);
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #note(message: ManagerMessage): void {
    if (message.type === 'welcome') this.#welcomedAtMs = this.#options.clock.monotonic();
    if (message.type !== 'welcome' && message.type !== 'heartbeat-ack') return;
    if (message.heartbeatPeriodMs !== this.#heartbeatPeriodMs) this.#wake.abort();
    this.#heartbeatPeriodMs = message.heartbeatPeriodMs;
  }

  #finish(error: OrchError | undefined): void {
    if (this.#end) return;
    this.#end = { error, servedMs: this.#welcomedAtMs === undefined ? undefined : this.#options.clock.monotonic() - this.#welcomedAtMs };
    this.#stop.abort();
    this.#options.channel[Symbol.dispose]();
    void this.#lingerUntilGone();
    this.#session?.closed(error);
    this.#ended.resolve(this.#end);
  }

  /** What was written still goes out, unless the manager takes too long to end its side. Never rejects. */
  async #lingerUntilGone(): Promise<void> {
    await this.#options.clock.sleep(RETIRE_TIMEOUT_MS, this.#gone.signal).then(() => this.#call.cancel(), () => { /* it is gone */ });
  }

  /** Listens for the other end until the stream has ended. Never rejects. */
  async #watch(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      const leftMs = this.#patienceMs() - this.#silentMs();
      this.#wake = new AbortController();
      await clock.sleep(Math.max(leftMs, CATCH_UP_MS), AbortSignal.any([this.#stop.signal, this.#wake.signal])).catch(() => { /* the stream has ended, or patience has changed */ });
      // The second look, a moment later, is for input that piled up while this process was busy.
      if (leftMs <= 0 && this.#silentMs() >= this.#patienceMs()) this.#blame();
    }
  }

  #blame(): void {
    if (this.#stop.signal.aborted) return;
    this.cut(new OrchError('ORCH_UNREACHABLE', `Manager ${this.address} has not answered for ${Math.round(this.#silentMs() / 100) / 10} s`, { details: { address: this.address } }));
  }

  #silentMs(): number {
    return this.#options.clock.monotonic() - this.#heardAtMs;
  }

  #patienceMs(): number {
    return this.#heartbeatPeriodMs === 0 ? WELCOME_TIMEOUT_MS : MISSED_HEARTBEATS * this.#heartbeatPeriodMs;
  }
}
