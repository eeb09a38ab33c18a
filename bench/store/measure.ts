import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { seededRandom } from '../../base/random.ts';
import { newId } from '../../base/ids.ts';

/** The timer behind the measurement fires every so often; an idle loop shows this much. */
const RESOLUTION_MS = 1;

export type Measured<T> = { readonly result: T; readonly loopDelay: LoopDelay; readonly seconds: number; /** Of all threads; hardly changes when others use the machine too. */ readonly cpuSeconds: number };
export type LoopDelay = { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

/** Runs `work` and measures how long this thread's event loop was held up meanwhile, beyond the resolution of the measurement. */
export async function withLoopDelay<T>(work: () => Promise<T>): Promise<Measured<T>> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const result = await work();
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(startCpu);
  histogram.disable();
  const ms = (ns: number): number => round(Math.max(0, ns / 1e6 - RESOLUTION_MS));
  return { result, seconds, cpuSeconds: (user + system) / 1e6, loopDelay: { p50Ms: ms(histogram.percentile(50)), p99Ms: ms(histogram.percentile(99)), maxMs: ms(histogram.max) } };
}

/** Keeps `inFlight` calls of `work` running until there have been `count`; latencies in ms. */
export async function runInFlight(count: number, inFlight: number, work: (index: number) => Promise<unknown>): Promise<number[]> {
  const latencies: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next; index < count; index = next) {
      next += 1;
      const startMs = performance.now();
      await work(index);
      latencies.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return latencies;
}

/** Time of one write and fdatasync of 4 KiB on this disk now, ms: what a lone commit cannot be faster than. */
export async function measureSync(directory: string): Promise<{ p50Ms: number; p99Ms: number }> {
  await using file = await open(join(directory, 'sync'), 'w');
  const block = Buffer.alloc(4096, 1);
  const latencies = await runInFlight(300, 1, async (index) => {
    await file.write(block, 0, block.length, index * block.length);
    await file.datasync();
  });
  return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

/** Runs `work` with a directory that is removed afterwards. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'orch-bench-store-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Distinct ids in the form and random order that orch gives them. */
export function makeIds(count: number, seed = 1): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => newId(random));
}

export const percentile = (values: readonly number[], share: number): number => round(values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0);

export const round = (value: number): number => Math.round(value * 1000) / 1000;
