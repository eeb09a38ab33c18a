/** Durable single-row commits per second at the seam of the SQLite backend, with 350-byte values under random ids; prints JSON. */
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { openSqliteBackend } from '../../store/sqlite-backend.ts';
import { makeIds, measureSync, percentile, round, runInFlight, withDirectory, withLoopDelay } from './measure.ts';

const KEYS = 100_000;
const TARGET = { inFlight: 128, commitsPerSecond: 50_000, loopDelayP99Ms: 5 };
const value = `{"kind":"task","v":1,"object":{${'x'.repeat(320)}}}`;

const keys = makeIds(KEYS).map((id) => `object/task/${id}`);

async function measure(inFlight: number, count: number): Promise<object> {
  return withDirectory(async (directory) => {
    await using backend = await openSqliteBackend({ path: join(directory, 'store.db'), clock: systemClock });
    const commit = (index: number): Promise<unknown> => backend.commit([{ key: keys[index % KEYS] ?? '', value: value + index }], []);
    const create = await withLoopDelay(() => runInFlight(Math.min(count, KEYS), inFlight, commit));
    const update = await withLoopDelay(() => runInFlight(count, inFlight, (index) => commit((index * 7919) % KEYS)));
    const row = ({ result, seconds, cpuSeconds, loopDelay }: typeof create): object =>
      ({ commitsPerSecond: Math.round(result.length / seconds), cpuMicrosPerCommit: round(cpuSeconds * 1e6 / result.length), p50Ms: percentile(result, 0.5), p99Ms: percentile(result, 0.99), loopDelay });
    return { inFlight, create: row(create), update: row(update) };
  });
}

async function measureBatches(inFlight: number, batches: number): Promise<object> {
  const OPERATIONS = 100;
  return withDirectory(async (directory) => {
    await using backend = await openSqliteBackend({ path: join(directory, 'store.db'), clock: systemClock });
    const { result, seconds, loopDelay } = await withLoopDelay(() => runInFlight(batches, inFlight, (batch) => {
      const operations = Array.from({ length: OPERATIONS }, (_, index) => ({ key: keys[(batch * OPERATIONS + index) % KEYS] ?? '', value }));
      return backend.commit(operations, operations.map(({ key }) => ({ type: 'absent', key })));
    }));
    return { operations: OPERATIONS, inFlight, commitsPerSecond: Math.round(batches / seconds), operationsPerSecond: Math.round(batches * OPERATIONS / seconds), p99Ms: percentile(result, 0.99), loopDelay };
  });
}

const idle = await withLoopDelay(() => systemClock.sleep(1000));
console.log(JSON.stringify({
  bench: 'store/commits', target: TARGET, idleLoopDelay: idle.loopDelay, diskSync: await withDirectory(measureSync),
  single: [await measure(1, 5000), await measure(128, 200_000), await measure(512, 200_000)],
  batched: [await measureBatches(1, 300), await measureBatches(8, 900)],
}, undefined, 2));
