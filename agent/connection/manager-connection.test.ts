import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { Clock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { isOrchError } from '../../model/errors.ts';
import { parseIdentity } from '../identity/identity.ts';
import { newPems } from '../identity/testing.ts';
import { KnownManagers } from './known-managers.ts';
import { openManagerConnection } from './manager-connection.ts';
import type { ManagerConnection } from './manager-connection.ts';

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'orch-connection-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A port of loopback on which nothing listens. */
async function closedPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const address = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** A clock on which the pauses between attempts pass at once, and are remembered; after `count` of them time stands still. */
function hurriedClock(count: number): { clock: Clock; pausesMs: number[]; full: Promise<void> } {
  const pausesMs: number[] = [];
  const full = Promise.withResolvers<void>();
  const sleep = async (durationMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    if (durationMs <= 8_000 && pausesMs.push(durationMs) < count) return;
    if (durationMs <= 8_000) full.resolve();
    await new Promise((_, reject) => { signal?.addEventListener('abort', () => reject(signal.reason), { once: true }); });
  };
  return { clock: { now: () => 1_700_003_600_000, monotonic: () => 0, sleep }, pausesMs, full: full.promise };
}

async function connectNowhere(folder: string, clock: Clock, managers: string[]): Promise<ManagerConnection> {
  const identity = parseIdentity(newPems());
  return openManagerConnection({
    identity, pkiDir: join(folder, 'pki'), managers, managersFile: join(folder, 'managers.json'), clock, random: seededRandom(1), log: silentLog,
    agent: { openSession: () => { throw new Error('no session can open'); } }, onIdentity: () => {}, onRemoved: () => {},
  });
}

describe('a connection to managers that are gone', () => {
  it('tries again at once, then ever more slowly, up to every 8 s', () => inFolder(async (folder) => {
    const { clock, pausesMs, full } = hurriedClock(10);
    const address = `127.0.0.1:${await closedPort()}`;
    await using connection = await connectNowhere(folder, clock, [address]);
    await full;
    const ceilings = [100, 200, 400, 800, 1_600, 3_200, 6_400, 8_000, 8_000, 8_000];
    assert.equal(pausesMs.length, ceilings.length);
    for (const [at, ceilingMs] of ceilings.entries()) {
      const pauseMs = pausesMs[at] ?? 0;
      assert.ok(pauseMs >= ceilingMs / 2 && pauseMs <= ceilingMs, `pause ${at} is ${pauseMs} ms`);
    }
    const { state } = connection;
    assert.ok(state.type === 'connecting' && isOrchError(state.error, 'ORCH_UNREACHABLE'));
    assert.match(state.error.message, new RegExp(address));
  }));

  it('ends at once when it is disposed, and whoever waited for it hears', () => inFolder(async (folder) => {
    const { clock, full } = hurriedClock(1);
    const connection = await connectNowhere(folder, clock, [`127.0.0.1:${await closedPort()}`]);
    await full;
    const waiting = assert.rejects(connection.connected(new AbortController().signal), (error) => isOrchError(error, 'ORCH_UNREACHABLE'));
    await assert.rejects(connection.connected(AbortSignal.abort(new Error('enough'))), /enough/);
    await connection[Symbol.asyncDispose]();
    await waiting;
    assert.equal(connection.state.type, 'closed');
  }));

  it('says so when it knows no address', () => inFolder(async (folder) => {
    const { clock, full } = hurriedClock(1);
    await using connection = await connectNowhere(folder, clock, []);
    await full;
    assert.ok(connection.state.type === 'connecting');
    assert.match(connection.state.error?.message ?? '', /knows no address/);
  }));

  it('refuses an address that is none', () => inFolder(async (folder) => {
    await assert.rejects(connectNowhere(folder, hurriedClock(1).clock, ['a:b:c']), (error) => isOrchError(error, 'ORCH_INVALID'));
  }));
});

describe('the managers that a node knows', () => {
  it('are kept, given ones with their port, and tried in an order by chance', () => inFolder(async (folder) => {
    const path = join(folder, 'managers.json');
    const managers = await KnownManagers.open(path, ['10.0.0.1', 'm2:99']);
    assert.deepEqual(managers.list(), ['10.0.0.1:2377', 'm2:99']);
    await managers.learn(['10.0.0.3:2377', '10.0.0.1:2377']);
    await managers.learn([]);
    const again = await KnownManagers.open(path, ['m2:99']);
    assert.deepEqual(again.list(), ['10.0.0.3:2377', '10.0.0.1:2377', 'm2:99']);
    const random = seededRandom(1);
    const firsts = new Set(Array.from({ length: 50 }, () => again.dialOrder(random)[0]));
    assert.deepEqual(firsts, new Set(again.list()));
    again.prefer('m2:99');
    for (let n = 0; n < 20; n += 1) assert.equal(again.dialOrder(random)[0], 'm2:99');
    await writeFile(path, 'damaged');
    assert.deepEqual((await KnownManagers.open(path, ['m2:99'])).list(), ['m2:99']);
  }));

  it('are written in the order they were learned', () => inFolder(async (folder) => {
    const path = join(folder, 'managers.json');
    const managers = await KnownManagers.open(path, []);
    await Promise.all(['a:1', 'b:1', 'c:1'].map((address) => managers.learn([address])));
    assert.equal(await readFile(path, 'utf8'), '["c:1"]\n');
  }));
});
