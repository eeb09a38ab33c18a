import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { collectWhenQuiet } from './idle-collector.ts';

/** Runs windows that each take so much CPU time, and says after which of them garbage was collected. */
async function collectionsAfter(windowsCpuMs: readonly number[], heapUsedBytes = 20e6): Promise<number[]> {
  const clock = new FakeClock(0);
  const abort = new AbortController();
  const collected: number[] = [];
  let cpuMs = 0;
  let window = 0;
  const done = collectWhenQuiet({ cpuMs: () => cpuMs, heapUsedBytes: () => heapUsedBytes, collect: () => { collected.push(window); cpuMs += 60; } }, clock, abort.signal);
  for (const [index, usedMs] of windowsCpuMs.entries()) {
    window = index;
    cpuMs += usedMs;
    await clock.advance(5_000);
  }
  abort.abort();
  await done;
  return collected;
}

describe('the collection of garbage in a quiet daemon', () => {
  it('happens once each time the daemon has become quiet', async () => {
    assert.deepEqual(await collectionsAfter([10, 10, 10]), [0], 'quiet from the start');
    assert.deepEqual(await collectionsAfter([900, 900, 20, 20, 20, 800, 20, 20]), [2, 6]);
  });

  it('never happens while there is work', async () => {
    assert.deepEqual(await collectionsAfter([900, 900, 900, 900]), []);
  });

  it('is left to V8 when the heap is large, because it would stop the daemon for long', async () => {
    assert.deepEqual(await collectionsAfter([900, 10, 10], 500e6), []);
  });
});
