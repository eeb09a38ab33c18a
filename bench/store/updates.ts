/** Transactions per second of the typed store over SQLite, one object each and 100 at a time, and how long watchers wait; prints JSON. */
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { openStore } from '../../store/open-store.ts';
import { openSqliteBackend } from '../../store/sqlite-backend.ts';
import type { Store } from '../../store/store.ts';
import { type Measured, percentile, round, runInFlight, withDirectory, withLoopDelay } from './measure.ts';
import { makeTasks } from './objects.ts';

const TASKS = 50_000;
const BATCH = 100;
const onFailure = (error: Error): never => { throw error; };
const tasks = makeTasks(TASKS, systemClock.now());

const row = (measured: Measured<number[]>, objectsEach: number): object => {
  const { result, seconds, cpuSeconds, loopDelay } = measured;
  return {
    updatesPerSecond: Math.round(result.length / seconds), objectsPerSecond: Math.round(result.length * objectsEach / seconds), cpuMicrosPerObject: round(cpuSeconds * 1e6 / result.length / objectsEach),
    p50Ms: percentile(result, 0.5), p99Ms: percentile(result, 0.99), loopDelay,
  };
};

const touch = (store: Store, ids: readonly string[]): Promise<void> => store.update((tx) => {
  for (const id of ids) {
    const task = tx.task.get(id);
    if (task) tx.task.update({ ...task, status: { ...task.status, message: 'touched' } });
  }
});

const idsFrom = (start: number, count: number): string[] => Array.from({ length: count }, (_, index) => tasks[(start + index) % TASKS]?.id ?? '');

/** Time from asking for a lone write until a watcher has it, ms. */
async function measureWatch(store: Store): Promise<number[]> {
  const abort = new AbortController();
  const watch = store.watch({ signal: abort.signal })[Symbol.asyncIterator]();
  const latencies: number[] = [];
  for (let index = 0; index < 1000; index += 1) {
    const startMs = performance.now();
    const written = touch(store, idsFrom(index, 1));
    await watch.next();
    latencies.push(performance.now() - startMs);
    await written;
  }
  abort.abort();
  return latencies;
}

console.log(JSON.stringify(await withDirectory(async (directory) => {
  const backend = await openSqliteBackend({ path: join(directory, 'store.db'), clock: systemClock });
  await using store = await openStore({ backend, clock: systemClock, onFailure });
  const create = await withLoopDelay(() => runInFlight(TASKS / BATCH, 4, (batch) => store.update((tx) => { for (const task of tasks.slice(batch * BATCH, (batch + 1) * BATCH)) tx.task.create(task); })));
  const single: Record<string, object> = {};
  for (const inFlight of [1, 128]) single[inFlight] = row(await withLoopDelay(() => runInFlight(inFlight === 1 ? 3000 : 100_000, inFlight, (index) => touch(store, idsFrom(index * 7919, 1)))), 1);
  const batched = await withLoopDelay(() => runInFlight(1000, 4, (index) => touch(store, idsFrom(index * BATCH, BATCH))));
  const watch = await measureWatch(store);
  return { bench: 'store/updates', tasks: TASKS, createBatchesOf100: row(create, BATCH), updateSingle: single, updateBatchesOf100: row(batched, BATCH), watchMs: { p50: percentile(watch, 0.5), p99: percentile(watch, 0.99) } };
}), undefined, 2));
