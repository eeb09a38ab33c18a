import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

const current = new AsyncLocalStorage<DialledSockets>();

subscribe('net.client.socket', (message) => {
  if (typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket) current.getStore()?.add(message.socket);
});

/** The sockets that a library opens to connect somewhere, so that they can be closed when it does not give up a connection that nobody answers. */
export class DialledSockets {
  readonly #sockets = new Set<Socket>();
  #hungUp = false;

  /** Runs `work`; what it opens, then or later, belongs to these sockets. */
  during<T>(work: () => T): T { return current.run(this, work); }

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#hungUp) process.nextTick(() => socket.destroy()); // it is told of before it dials
  }

  /** Closes all of them, and from now on each new one. */
  hangUp(): void {
    this.#hungUp = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}
