import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Log } from '../../base/log.ts';
import { isOrchError, OrchError } from '../../model/errors.ts';
import { decodeAgentMessage } from '../../proto/convert/agent-message.ts';
import { encodeManagerMessage } from '../../proto/convert/manager-message.ts';
import type { ManagerMessage, NodePlane, Peer, SessionChannel, SessionHandler } from '../../proto/session-messages.ts';
import { toServiceError } from '../../proto/status.ts';

export type SessionCall = ServerDuplexStream<Buffer, Buffer>;

/** Messages that may wait for a node to read them; one that reads nothing must not fill the manager's memory. */
const MAX_UNSENT_MESSAGES = 4096;

/** Connects one agent's stream with the plane behind it. Throws what `openSession` throws. */
export function serveSession(call: SessionCall, peer: Peer, { nodePlane, log }: { nodePlane: NodePlane; log: Log }): void {
  const session = new Session(call, peer, log);
  session.attach(nodePlane.openSession(peer, session));
}

/** Ends a stream that never became a session. */
export function refuseSession(call: SessionCall, error: unknown): void {
  call.resume();
  call.emit('error', toServiceError(error));
}

class Session implements SessionChannel {
  readonly #call: SessionCall;
  readonly #peer: Peer;
  readonly #log: Log;
  #handler: SessionHandler | undefined;
  #end: { error: Error | undefined } | undefined;

  constructor(call: SessionCall, peer: Peer, log: Log) {
    this.#call = call;
    this.#peer = peer;
    this.#log = log;
  }

  send(message: ManagerMessage): void {
    if (this.#end) return;
    if (this.#call.writableLength < MAX_UNSENT_MESSAGES) this.#call.write(encodeOnce(message));
    else this.close(new OrchError('ORCH_TIMEOUT', `Node ${this.#peer.nodeId} does not read what it is sent`, { details: { nodeId: this.#peer.nodeId } }));
  }

  /** Ends the stream after what was sent; the handler hears of it once the caller is done. */
  close(error?: Error): void {
    if (this.#end) return;
    this.#end = { error };
    if (error) this.#call.emit('error', toServiceError(error));
    else this.#call.end();
    queueMicrotask(() => this.#handler?.closed(error));
  }

  attach(handler: SessionHandler): void {
    this.#handler = handler;
    this.#call.on('data', (bytes: Buffer) => this.#receive(handler, bytes));
    // A broken stream ends too, just before it is cancelled.
    this.#call.once('end', () => setImmediate(() => this.#lost(undefined)));
    const gone = (): void => this.#lost(new OrchError('ORCH_UNREACHABLE', `The connection of node ${this.#peer.nodeId} is gone`, { details: { nodeId: this.#peer.nodeId } }));
    this.#call.once('cancelled', gone);
    if (this.#call.cancelled) gone();
  }

  #receive(handler: SessionHandler, bytes: Buffer): void {
    if (this.#end) return;
    try {
      handler.receive(decodeAgentMessage(bytes));
    } catch (error) {
      if (!isOrchError(error)) this.#log.error({ err: error, nodeId: this.#peer.nodeId }, 'a message of a node failed');
      this.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The node ended the stream, or its connection broke. */
  #lost(error: Error | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    this.#call.end();
    this.#handler?.closed(error);
  }
}

const encodings = new WeakMap<ManagerMessage, Buffer>();

/** A message that goes to many nodes as the same object is encoded once. */
function encodeOnce(message: ManagerMessage): Buffer {
  const known = encodings.get(message);
  if (known) return known;
  const bytes = encodeManagerMessage(message);
  encodings.set(message, bytes);
  return bytes;
}
