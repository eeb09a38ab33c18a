/** Time to open a typed store over a SQLite file of many tasks, and the memory its mirror takes; prints JSON. Argument: number of tasks, default 100000. */
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import type { Operation } from '../../store/backend.ts';
import { encodeObject } from '../../store/codec.ts';
import { objectKey } from '../../store/keys.ts';
import { openStore } from '../../store/open-store.ts';
import { openSqliteBackend } from '../../store/sqlite-backend.ts';
import { round, withDirectory, withLoopDelay } from './measure.ts';
import { makeTasks } from './objects.ts';

const TARGET = { objects: 100_000, openSeconds: 2 };
const BATCH = 100;
const count = Number(process.argv[2] ?? TARGET.objects);

const onFailure = (error: Error): never => { throw error; };

/** What the process holds after a collection, where one can be asked for (node --expose-gc). */
function heapMib(): number {
  globalThis.gc?.();
  return round(process.memoryUsage().heapUsed / 2 ** 20);
}

async function fill(path: string): Promise<number> {
  await using backend = await openSqliteBackend({ path, clock: systemClock });
  const operations: Operation[] = makeTasks(count, systemClock.now()).map((task) => ({ key: objectKey('task', task.id), value: encodeObject('task', { ...task, version: 1, createdAtMs: 1, updatedAtMs: 1 }) }));
  const startMs = performance.now();
  const commits: Promise<unknown>[] = [];
  for (let index = 0; index < operations.length; index += BATCH) commits.push(backend.commit(operations.slice(index, index + BATCH), []));
  await Promise.all(commits);
  return performance.now() - startMs;
}

console.log(JSON.stringify(await withDirectory(async (directory) => {
  const path = join(directory, 'store.db');
  const fillMs = await fill(path);
  const heapBefore = heapMib();
  const openBackend = await withLoopDelay(() => openSqliteBackend({ path, clock: systemClock }));
  const opening = await withLoopDelay(() => openStore({ backend: openBackend.result, clock: systemClock, onFailure }));
  await using store = opening.result;
  return {
    bench: 'store/load', target: TARGET, objects: store.view((view) => view.task.count), fillSeconds: round(fillMs / 1000),
    openBackendSeconds: round(openBackend.seconds), openSeconds: round(opening.seconds), cpuSeconds: round(opening.cpuSeconds), loopDelay: opening.loopDelay,
    heapMib: round(heapMib() - heapBefore), rssMib: round(process.memoryUsage().rss / 2 ** 20),
  };
}), undefined, 2));
