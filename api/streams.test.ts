import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { LogRecord } from '../model/log-record.ts';
import { service, task } from '../model/testing.ts';
import { assertDocker } from '../test/support/docker-reference.ts';
import { container, image, testApi } from './testing.ts';

const record = (line: string, changes: Partial<LogRecord> = {}): LogRecord => ({ stream: 'stdout', time: '2023-11-14T22:13:20.000000001Z', line: Buffer.from(line), partial: false, ...changes });

/** Splits Docker's frames: `1:text` for stdout, `2:text` for stderr, `3:text` for the engine's own words. */
function frames(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    found.push(`${bytes[at]}:${bytes.subarray(at + 8, end).toString()}`);
    at = end;
  }
  return found;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !condition(); turn += 1) await new Promise<void>((resolve) => { setImmediate(resolve); });
  assert.ok(condition(), 'never came true');
}

let directory = '';
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'orch-api-')); });
afterEach(() => { rmSync(directory, { recursive: true }); });

/** Serves on a real socket and opens one request on it. */
async function open(under: Awaited<ReturnType<typeof testApi>>, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const socketPath = join(directory, 'orch.sock');
  await under.api.listenUnix(socketPath);
  const sent = request({ socketPath, path, headers });
  sent.end();
  const [response] = await once(sent, 'response');
  return response;
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('logs of a container', () => {
  it('come in frames that keep stdout and stderr apart, with partial lines unended', async () => {
    await using under = await testApi();
    under.engine.containerList = [container({ name: 'web' })];
    under.engine.logFeed.push(record('one'), record('oops', { stream: 'stderr' }), record('half', { partial: true }), record(' done'));
    under.engine.logFeed.end();
    const response = await under.api.inject('/containers/web/logs?stdout=1&stderr=true&tail=10&since=1700000000.5&until=1700000001');
    assert.equal(response.headers['content-type'], 'application/vnd.docker.multiplexed-stream');
    assert.deepEqual(frames(response.rawPayload), ['1:one\n', '2:oops\n', '1:half', '1: done\n']);
    assert.deepEqual(under.engine.lastLogQuery, { stdout: true, stderr: true, follow: false, sinceMs: 1_700_000_000_500, untilMs: 1_700_000_001_000, tail: 10 });
    assert.equal((await under.api.inject('/v1.41/containers/web/logs?stdout=1')).headers['content-type'], 'application/vnd.docker.raw-stream');
  });

  it('come as they are from a terminal, with times on request', async () => {
    await using under = await testApi();
    under.engine.containerList = [container({ name: 'web', create: { tty: true } })];
    under.engine.logFeed.push(record('$ ls\r'));
    under.engine.logFeed.end();
    const response = await under.api.inject('/containers/web/logs?stdout=1&timestamps=1');
    assert.equal(response.headers['content-type'], 'application/vnd.docker.raw-stream');
    assert.equal(response.body, '2023-11-14T22:13:20.000000001Z $ ls\r\n');
  });

  it('are refused without a stream or with a nonsense tail', async () => {
    await using under = await testApi();
    under.engine.containerList = [container({ name: 'web' })];
    assert.equal((await under.api.inject('/containers/web/logs')).json().message, 'Bad parameters: you must choose at least one stream');
    assert.equal((await under.api.inject('/containers/web/logs?stdout=1&tail=few')).statusCode, 400);
    assert.equal((await under.api.inject('/containers/other/logs?stdout=1')).statusCode, 404);
  });

});

describe('a stream of logs', () => {
  it('answers before the first line, follows, and ends when the client goes away', async () => {
    await using under = await testApi();
    under.engine.containerList = [container({ name: 'web' })];
    const response = await open(under, '/containers/web/logs?stdout=1&follow=1');
    assert.equal(response.statusCode, 200);
    under.engine.logFeed.push(record('later'));
    const [chunk] = await once(response, 'data');
    assert.deepEqual(frames(chunk), ['1:later\n']);
    response.destroy();
    await until(() => under.engine.logFeed.readers === 0);
  });

  it('waits for a client that does not read', async () => {
    await using under = await testApi();
    under.engine.containerList = [container({ name: 'web' })];
    let taken = 0;
    under.engine.containers.logs = async function* logs() {
      for (; taken < 2_000; taken += 1) yield record('x'.repeat(10_000));
    };
    const response = await open(under, '/containers/web/logs?stdout=1');
    await until(() => taken > 0);
    let before = -1;
    await until(() => {
      const isStill = before === taken;
      before = taken;
      return isStill;
    });
    assert.ok(taken < 1_000, `${taken} lines were taken although nobody reads`);
    assert.equal((await readAll(response)).length, 2_000 * 10_009);
  });

  it('is cut with the API', async () => {
    const under = await testApi();
    under.engine.containerList = [container({ name: 'web' })];
    const response = await open(under, '/containers/web/logs?stdout=1&follow=1');
    await under.api[Symbol.asyncDispose]();
    await assert.rejects(readAll(response));
    assert.equal(under.engine.logFeed.readers, 0);
  });

  it('ends with the engine\'s words when it fails in the middle', async () => {
    await using under = await testApi();
    under.engine.containerList = [container({ name: 'web' })];
    under.engine.containers.logs = async function* logs() {
      yield record('one');
      throw new Error('disk is gone');
    };
    assert.deepEqual(frames((await under.api.inject('/containers/web/logs?stdout=1')).rawPayload), ['1:one\n', '3:Error grabbing logs: disk is gone\n']);
  });
});

describe('logs of a service', () => {
  it('name task, service and node as Docker\'s CLI reads them, and what is missing', async () => {
    await using under = await testApi();
    const [web1, web2, elsewhere] = [task({ id: 'task1', nodeId: 'node1' }), task({ id: 'task2', nodeId: 'node2' }), task({ id: 'task3' })];
    under.control.serviceList = [service()];
    under.control.taskList = [web1, web2, elsewhere];
    under.control.unavailable = [{ task: web2, reason: 'the node is down' }];
    under.control.logFeed.push({ ...record('hello'), task: web1 });
    under.control.logFeed.end();
    const response = await under.api.inject('/services/web/logs?stdout=1&stderr=1&details=1');
    const details = (id: string, node: string): string => `com.docker.swarm.node.id=${node},com.docker.swarm.service.id=service1,com.docker.swarm.task.id=${id}`;
    assert.deepEqual(frames(response.rawPayload), [
      `2:${details('task2', 'node2')} orch: the logs of task task2 on node node2 are not available: the node is down\n`,
      `1:${details('task1', 'node1')} hello\n`,
    ]);
    assert.deepEqual(under.control.calls[0]?.args.filter((_, index) => index !== 1), [['task1', 'task2'], 'service1']);
    await under.api.inject('/tasks/task2/logs?stderr=1');
    assert.deepEqual(under.control.calls[1]?.args.filter((_, index) => index !== 1), [['task2'], undefined]);
  });
});

describe('events', () => {
  it('tell what happens to containers, images and the cluster until the client goes away', async () => {
    await using under = await testApi();
    under.engine.imageList = [image()];
    const response = await open(under, '/events', { accept: 'application/jsonl' });
    assert.equal(response.headers['content-type'], 'application/jsonl');
    under.engine.emit({ action: 'die', container: container({ name: 'web', exitCode: 3, create: { labels: { tier: 'front' } } }), atMs: 1_700_000_000_123 });
    under.control.eventFeed.push({ type: 'service', action: 'update', id: 'service1', attributes: { name: 'web' }, atMs: 1_700_000_000_124 }, { type: 'task', action: 'update', id: 'task1', attributes: {}, atMs: 1 });
    let text = '';
    response.on('data', (chunk) => { text += String(chunk); });
    await until(() => text.split('\n').length === 3);
    const events = text.trim().split('\n').map((line) => JSON.parse(line));
    for (const event of events) assertDocker('EventMessage', event);
    assert.deepEqual(events, [
      {
        status: 'die', id: 'c'.repeat(64), from: 'web:1', Type: 'container', Action: 'die',
        Actor: { ID: 'c'.repeat(64), Attributes: { tier: 'front', image: 'web:1', name: 'web', exitCode: '3' } }, scope: 'local', time: 1_700_000_000, timeNano: 1_700_000_000_123_000_000,
      },
      { Type: 'service', Action: 'update', Actor: { ID: 'service1', Attributes: { name: 'web' } }, scope: 'swarm', time: 1_700_000_000, timeNano: 1_700_000_000_124_000_000 },
    ]);
    response.destroy();
  });

  it('of the past end at the time asked for', async () => {
    await using under = await testApi();
    under.engine.imageList = [image()];
    await under.api.inject({ method: 'POST', url: '/images/web:1/tag?repo=web&tag=2' });
    under.engine.emit({ action: 'start', container: container({ name: 'web' }), atMs: under.clock.now() });
    const actions = async (query: string): Promise<string[]> => {
      const { body } = await under.api.inject(`/events?${query}&until=1700000000`);
      return body === '' ? [] : body.trim().split('\n').map((line) => JSON.parse(line).Action);
    };
    assert.deepEqual(await actions('since=0'), ['tag', 'start']);
    const filtered = (filters: object): Promise<string[]> => actions(`since=0&filters=${encodeURIComponent(JSON.stringify(filters))}`);
    assert.deepEqual(await filtered({ type: ['container'] }), ['start']);
    assert.deepEqual(await filtered({ event: ['tag'] }), ['tag']);
    assert.deepEqual(await filtered({ container: ['web'] }), ['start']);
    assert.deepEqual(await filtered({ image: ['web'] }), ['tag', 'start']);
    assert.deepEqual(await filtered({ scope: ['swarm'] }), []);
    assert.equal((await under.api.inject('/events?since=yesterday')).statusCode, 400);
    assert.equal((await under.api.inject('/events?since=2&until=1')).statusCode, 400);
  });

  it('end at a time to come', async () => {
    await using under = await testApi();
    const response = await open(under, '/events?until=1700000005');
    under.engine.emit({ action: 'start', container: container(), atMs: under.clock.now() });
    const read = readAll(response);
    await under.clock.advance(5_000);
    assert.equal((await read).toString().trim().split('\n').length, 1);
  });
});
