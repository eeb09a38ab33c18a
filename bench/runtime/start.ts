/**
 * How long containers take to start and to go: alone, one after another, and many at once. Prints JSON, times in ms.
 *   node bench/runtime/start.ts [COUNT]     (root; COUNT containers at once, 50 by default)
 */
import { cpus, loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ContainerLab } from '../../test/support/container-lab.ts';

const SEQUENTIAL = 20;
const IDLE_MS = 1500;
const count = Number(process.argv[2] ?? 50);

const since = (startMs: number): number => Math.round((performance.now() - startMs) * 10) / 10;
const nanoToMs = (nanoseconds: number): number => Math.round(nanoseconds / 1e5) / 10;

function summary(times: readonly number[]): { median: number; min: number; max: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] ?? 0, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

await using lab = await ContainerLab.open();
const { engine } = lab;

async function startOne(): Promise<{ id: string; createMs: number; startMs: number }> {
  const begin = performance.now();
  const id = await lab.create(['sleep', '1000']);
  const createMs = since(begin);
  const created = performance.now();
  await engine.start(id);
  return { id, createMs, startMs: since(created) };
}

await engine.remove((await startOne()).id, { force: true });
await new Promise((resolve) => { setTimeout(resolve, IDLE_MS); });
const afterIdle = await startOne();
await engine.remove(afterIdle.id, { force: true });

const runs: { createMs: number; startMs: number; removeMs: number }[] = [];
for (let index = 0; index < SEQUENTIAL; index += 1) {
  const { id, createMs, startMs } = await startOne();
  const begin = performance.now();
  await engine.remove(id, { force: true });
  runs.push({ createMs, startMs, removeMs: since(begin) });
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const begin = performance.now();
const runningAt: number[] = [];
const ids = await Promise.all(Array.from({ length: count }, async () => {
  const { id } = await startOne();
  runningAt.push(since(begin));
  return id;
}));
const allRunningMs = since(begin);
delay.disable();
await lab.close();
const reopening = performance.now();
await lab.reopen();
const reopenMs = since(reopening);
const removal = performance.now();
await Promise.all(ids.map((id) => lab.engine.remove(id, { force: true })));

console.log(JSON.stringify({
  cpus: cpus().length,
  load: loadavg(),
  afterIdle: { createMs: afterIdle.createMs, startMs: afterIdle.startMs },
  sequential: { create: summary(runs.map((run) => run.createMs)), start: summary(runs.map((run) => run.startMs)), forcedRemove: summary(runs.map((run) => run.removeMs)) },
  parallel: {
    count, allRunningMs, perSecond: Math.round(count / allRunningMs * 1000), thirdRunningMs: runningAt.toSorted((a, b) => a - b)[2], reopenMs,
    allRemovedMs: since(removal), eventLoopDelayMs: { p99: nanoToMs(delay.percentile(99)), max: nanoToMs(delay.max) },
  },
}, undefined, 2));
