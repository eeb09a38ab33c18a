import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

const reason = new Error('nobody waits any more');

describe('FakeClock', () => {
  it('stands still until it is advanced', async () => {
    const clock = new FakeClock(1_000);
    let woke = false;
    void clock.sleep(10).then(() => { woke = true; });
    await clock.advance(9);
    assert.deepEqual([woke, clock.now()], [false, 1_009]);
    await clock.advance(1);
    assert.deepEqual([woke, clock.now(), clock.monotonic()], [true, 1_010, 1_010]);
  });

  it('wakes sleepers in the order of their times, each at its own', async () => {
    const clock = new FakeClock();
    const woke: [string, number][] = [];
    for (const [name, durationMs] of [['late', 300], ['soon', 100], ['next', 200], ['also soon', 100]] as const) void clock.sleep(durationMs).then(() => woke.push([name, clock.now()]));
    await clock.advance(1_000);
    assert.deepEqual(woke, [['soon', 100], ['also soon', 100], ['next', 200], ['late', 300]]);
    assert.equal(clock.now(), 1_000);
  });

  it('wakes sleeps that follow each other within one advance', async () => {
    const clock = new FakeClock();
    const woke: number[] = [];
    const chain = async (): Promise<void> => {
      for (const durationMs of [100, 200, 400]) {
        await clock.sleep(durationMs);
        woke.push(clock.now());
      }
    };
    void chain();
    await clock.advance(699);
    assert.deepEqual(woke, [100, 300]);
    await clock.advance(1);
    assert.deepEqual(woke, [100, 300, 700]);
  });
});

describe('sleeping', () => {
  const clocks: [string, Clock][] = [['the fake clock', new FakeClock()], ['the clock of the system', systemClock]];
  for (const [name, clock] of clocks) {
    it(`by ${name} ends with the reason of its signal`, async () => {
      const abort = new AbortController();
      const sleep = clock.sleep(60_000, abort.signal);
      abort.abort(reason);
      await assert.rejects(sleep, reason);
      await assert.rejects(clock.sleep(60_000, AbortSignal.abort(reason)), reason);
    });
  }

  it('that was aborted is not woken later, and leaves its signal alone after it ended', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const woke: string[] = [];
    const ended = clock.sleep(1, abort.signal).then(() => woke.push('ended'));
    await clock.advance(1);
    await ended;
    const aborted = clock.sleep(1, abort.signal);
    abort.abort(reason);
    await assert.rejects(aborted, reason);
    await clock.advance(10);
    assert.deepEqual(woke, ['ended']);
  });

  it('by the clock of the system takes time that its monotonic time shows', async () => {
    const [startMs, wallMs] = [systemClock.monotonic(), systemClock.now()];
    await systemClock.sleep(5);
    assert.ok(systemClock.monotonic() - startMs >= 4, 'timers are exact to a millisecond');
    assert.ok(Math.abs(systemClock.now() - wallMs) < 60_000);
  });
});
