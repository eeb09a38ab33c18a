import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { container, image, testApi } from '../../api/testing.ts';
import { OrchError, isOrchError } from '../../model/errors.ts';
import type { LogRecord } from '../../model/log-record.ts';
import type { ApiClient } from '../../cli/http-client.ts';
import { openApiClient, parseApiAddress } from '../../cli/http-client.ts';
import type { LogFrame } from '../../cli/streams.ts';
import { demultiplex, jsonLines } from '../../cli/streams.ts';

let directory = '';
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'orch-cli-')); });
afterEach(() => { rmSync(directory, { recursive: true }); });

/** The whole API of a manager on a socket, and a client of it. */
async function connected(): Promise<Awaited<ReturnType<typeof testApi>> & { readonly client: ApiClient }> {
  const under = await testApi();
  const socketPath = join(directory, 'orch.sock');
  await under.api.listenUnix(socketPath);
  return { ...under, client: openApiClient({ socketPath }) };
}

/** A daemon that answers as `listener` does, on a port of the loopback. */
async function fakeDaemon(listener: RequestListener): Promise<AsyncDisposable & { readonly client: ApiClient; readonly host: string }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const host = `tcp://127.0.0.1:${address.port}`;
  return {
    client: openApiClient(parseApiAddress(host)), host,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const record = (text: string, stream: LogRecord['stream'] = 'stdout'): LogRecord => ({ stream, time: '2023-11-14T22:13:20Z', line: Buffer.from(text), partial: false });
const texts = async (frames: AsyncIterable<LogFrame>): Promise<string[]> => (await Array.fromAsync(frames)).map(({ stream, payload }) => `${stream}:${payload.toString()}`);

describe('the address of a daemon', () => {
  it('is a unix socket, a path, or a TCP port', () => {
    assert.deepEqual(parseApiAddress('unix:///run/orch/orch.sock'), { socketPath: '/run/orch/orch.sock' });
    assert.deepEqual(parseApiAddress('/tmp/o.sock'), { socketPath: '/tmp/o.sock' });
    assert.deepEqual(parseApiAddress('tcp://node1'), { host: 'node1', port: 2375 });
    assert.deepEqual(parseApiAddress('tcp://[::1]:99'), { host: '::1', port: 99 });
    for (const text of ['', 'unix://', 'ftp://node1', 'node1:2375']) assert.throws(() => parseApiAddress(text), (error) => isOrchError(error, 'ORCH_USAGE'));
  });
});

describe('a request to the daemon', () => {
  it('sends JSON and reads JSON, or nothing', async () => {
    await using under = await connected();
    assert.deepEqual(await under.client.json({ method: 'POST', path: '/swarm/join', body: { RemoteAddrs: ['a:1'], JoinToken: 't' } }), undefined);
    assert.equal(under.membership.calls[0]?.name, 'join');
    assert.deepEqual(await under.client.json({ path: '/orch/v1/status' }), { nodeId: 'node1', role: 'manager', state: 'active', version: '0.1.0' });
  });

  it('sends an upload as it is', async () => {
    await using under = await connected();
    under.engine.imageList = [image()];
    const part = Buffer.alloc(1_000_000, 3);
    const lines = await Array.fromAsync(jsonLines(under.client.stream({ method: 'POST', path: '/images/load?quiet=1', upload: { contentType: 'application/x-tar', chunks: async function* chunks() { yield part; yield part; }() } })));
    assert.deepEqual(lines, [{ stream: 'Loaded image: web:1\n' }]);
    assert.equal(under.engine.received.length, 2 * part.length);
  });

  it('fails with code, sentence, hint and details of the daemon', async () => {
    await using under = await connected();
    under.membership.join = async () => { throw new OrchError('ORCH_BAD_TOKEN', 'The token is of another cluster', { hint: 'Ask a manager', details: { cluster: 'c1' } }); };
    await assert.rejects(under.client.json({ method: 'POST', path: '/swarm/join', body: { RemoteAddrs: ['a:1'], JoinToken: 't' } }), (error) => {
      assert.ok(isOrchError(error, 'ORCH_BAD_TOKEN'));
      assert.deepEqual([error.message, error.hint, error.details], ['The token is of another cluster', 'Ask a manager', { cluster: 'c1' }]);
      return true;
    });
  });

  it('fails when nothing listens, with the address and what to do', async () => {
    const client = openApiClient({ socketPath: join(directory, 'none.sock') });
    await assert.rejects(client.json({ path: '/info' }), (error) => {
      assert.ok(isOrchError(error, 'ORCH_UNREACHABLE'));
      assert.equal(error.message, `Cannot connect to the orch daemon at unix://${directory}/none.sock`);
      assert.ok(error.hint);
      return true;
    });
    let host = '';
    {
      await using gone = await fakeDaemon(() => {});
      host = gone.host;
    }
    await assert.rejects(openApiClient(parseApiAddress(host)).json({ path: '/info' }), { message: `Cannot connect to the orch daemon at ${host}` });
  });
});

describe('a request that breaks', () => {
  it('in the middle of the answer is not taken for the end', async () => {
    await using daemon = await fakeDaemon((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"half":');
      setImmediate(() => response.destroy());
    });
    await assert.rejects(daemon.client.json({ path: '/info' }), (error) => isOrchError(error, 'ORCH_UNREACHABLE') && error.message.endsWith('ended the connection in the middle of its answer'));
  });

  it('because its upload cannot be read fails with that', async () => {
    await using daemon = await fakeDaemon((request) => { request.resume(); });
    const chunks = async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new Error('the disk is gone');
    };
    await assert.rejects(daemon.client.json({ method: 'POST', path: '/images/load', upload: { contentType: 'application/x-tar', chunks: chunks() } }), { message: 'the disk is gone' });
  });

  it('off by its own signal rejects with the reason, or ends what it reads', async () => {
    await using under = await connected();
    const reason = new Error('interrupted');
    await assert.rejects(under.client.json({ path: '/info', signal: AbortSignal.abort(reason) }), (error) => error === reason || (error instanceof Error && error.cause === reason));
    under.engine.containerList = [container({ name: 'web' })];
    under.engine.logFeed.push(record('one'));
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const { payload } of under.client.frames({ path: '/containers/web/logs?stdout=1&follow=1', signal: abort.signal })) {
      seen.push(payload.toString());
      abort.abort(reason);
    }
    assert.deepEqual(seen, ['one\n']);
  });
});

describe('logs through the client', () => {
  it('come apart by stream', async () => {
    await using under = await connected();
    under.engine.containerList = [container({ name: 'web' })];
    under.engine.logFeed.push(record('one'), record('two', 'stderr'), record('é'.repeat(50_000)));
    under.engine.logFeed.end();
    assert.deepEqual(await texts(under.client.frames({ path: '/containers/web/logs?stdout=1&stderr=1' })), ['stdout:one\n', 'stderr:two\n', `stdout:${'é'.repeat(50_000)}\n`]);
  });

  it('come line by line from a terminal', async () => {
    await using under = await connected();
    under.engine.containerList = [container({ name: 'web', create: { tty: true } })];
    under.engine.logFeed.push(record('one\r'), { ...record('two'), partial: true });
    under.engine.logFeed.end();
    assert.deepEqual(await texts(under.client.frames({ path: '/containers/web/logs?stdout=1' })), ['stdout:one\r\n', 'stdout:two']);
  });

  it('end with the daemon\'s sentence when it cannot go on', async () => {
    await using under = await connected();
    under.engine.containerList = [container({ name: 'web' })];
    under.engine.containers.logs = async function* logs() {
      yield record('one');
      throw new Error('the disk is gone');
    };
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const { payload } of under.client.frames({ path: '/containers/web/logs?stdout=1' })) seen.push(payload.toString());
    }, { message: 'Error grabbing logs: the disk is gone' });
    assert.deepEqual(seen, ['one\n']);
  });

  it('are put together from pieces of any size', async () => {
    const bytes = Buffer.from([1, 0, 0, 0, 0, 0, 0, 2, 104, 105, 2, 0, 0, 0, 0, 0, 0, 1, 33]);
    for (let size = 1; size <= bytes.length; size += 1) {
      const pieces = async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      assert.deepEqual(await texts(demultiplex(pieces())), ['stdout:hi', 'stderr:!']);
    }
  });
});
