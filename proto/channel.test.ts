import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { openChannel } from './channel.ts';

const gone = new Error('nobody waits any more');

/** A server on loopback that takes connections and says nothing. */
async function muteServer(): Promise<{ server: Server; address: string }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  return { server, address: `127.0.0.1:${bound.port}` };
}

describe('a channel that is given up', () => {
  it('says so, and hangs up on a server that does not answer', async () => {
    const { server, address } = await muteServer();
    const abort = new AbortController();
    using channel = openChannel(address, { type: 'none' });
    const closed = new Promise<void>((resolve) => {
      let open = 0;
      server.on('connection', (socket) => {
        open += 1;
        socket.on('error', () => { /* the other end may reset it */ }).on('close', () => { if ((open -= 1) === 0 && abort.signal.aborted) resolve(); }).resume();
        setImmediate(() => abort.abort(gone));
      });
    });
    await assert.rejects(channel.ready(60_000, abort.signal), (error) => isOrchError(error, 'ORCH_UNREACHABLE') && /was given up/.test(error.message));
    channel[Symbol.dispose]();
    await closed;
    await new Promise((resolve) => { server.close(resolve); });
  });

  it('does not dial when it was given up before', async () => {
    const { server, address } = await muteServer();
    server.on('connection', () => assert.fail('dialled'));
    using channel = openChannel(address, { type: 'none' });
    await assert.rejects(channel.ready(60_000, AbortSignal.abort(gone)), (error) => isOrchError(error, 'ORCH_UNREACHABLE'));
    await new Promise((resolve) => { server.close(resolve); });
  });
});

describe('a channel to an address where nothing listens', () => {
  it('says so at once', async () => {
    const { server, address } = await muteServer();
    await new Promise((resolve) => { server.close(resolve); });
    using channel = openChannel(address, { type: 'none' });
    await assert.rejects(channel.ready(60_000), (error) => isOrchError(error, 'ORCH_UNREACHABLE') && error.message === `No manager listens at ${address}: the connection was refused`);
  });
});
