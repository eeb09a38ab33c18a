import { connect, type Socket } from 'node:net';
import { isErrno } from '../../base/files.ts';
import { OrchError } from '../../model/errors.ts';
import { encodeFrame, FrameReader, type Frame, type FrameField } from './frames.ts';

/** The other side hung up before it answered. */
export class ConnectionLost extends OrchError {
  constructor(what: string, cause?: unknown) {
    super('ORCH_RUNTIME', `${what} ended before it answered`, { cause });
    this.name = 'ConnectionLost';
  }
}

/** A unix socket that answers every request frame with one frame of the same number, in any order. */
export class FrameConnection implements Disposable {
  readonly #socket: Socket;
  readonly #what: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<Frame>>();
  readonly #closed = Promise.withResolvers<void>();
  #nextRequest = 1;
  #cause: unknown;

  private constructor(socket: Socket, what: string) {
    this.#socket = socket;
    this.#what = what;
    const reader = new FrameReader();
    socket.on('data', (chunk) => this.#receive(reader, typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    socket.on('error', (error) => { this.#cause = error; });
    socket.on('close', () => this.#fail());
  }

  /** Connects to the socket at `path`; undefined when nobody listens there. `what` names the other side in errors. */
  static async open(path: string, what: string): Promise<FrameConnection | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ path });
    socket.once('connect', resolve).once('error', reject);
    try {
      await promise;
    } catch (error) {
      if (isErrno(error, 'ENOENT') || isErrno(error, 'ECONNREFUSED') || isErrno(error, 'ECONNRESET')) return undefined;
      throw new OrchError('ORCH_RUNTIME', `Cannot connect to ${what} at ${path}`, { cause: error });
    }
    socket.off('error', reject);
    return new FrameConnection(socket, what);
  }

  /** Resolves when the connection has ended, for whatever reason. */
  get closed(): Promise<void> { return this.#closed.promise; }

  get isOpen(): boolean { return !this.#socket.destroyed; }

  /** Sends a request; its number is for `notify`. The answer rejects with ConnectionLost when the other side is gone. */
  send(type: number, fields: readonly FrameField[] = []): { readonly request: number; readonly answer: Promise<Frame> } {
    const request = this.#nextRequest;
    this.#nextRequest = (this.#nextRequest + 1) >>> 0;
    const waiter = Promise.withResolvers<Frame>();
    if (this.#socket.destroyed) {
      waiter.reject(new ConnectionLost(this.#what, this.#cause));
    } else {
      const frame = encodeFrame(type, request, fields);
      this.#waiting.set(request, waiter);
      this.#socket.write(frame);
    }
    return { request, answer: waiter.promise };
  }

  /** Sends a frame that has no answer, about the request of that number. */
  notify(type: number, request: number): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(type, request, []));
  }

  /** Keeps the process alive only while it is referenced. */
  unref(): void { this.#socket.unref(); }

  /** Sends what is still to be sent and hangs up. */
  [Symbol.dispose](): void { this.#socket.destroySoon(); }

  #receive(reader: FrameReader, chunk: Buffer): void {
    try {
      for (const frame of reader.push(chunk)) {
        this.#waiting.get(frame.request)?.resolve(frame);
        this.#waiting.delete(frame.request);
      }
    } catch (error) {
      this.#cause = error;
      this.#socket.destroy();
    }
  }

  #fail(): void {
    for (const waiter of this.#waiting.values()) waiter.reject(new ConnectionLost(this.#what, this.#cause));
    this.#waiting.clear();
    this.#closed.resolve();
  }
}
