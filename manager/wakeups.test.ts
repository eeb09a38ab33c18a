import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { Wakeups } from './wakeups.ts';

describe('wake-ups', () => {
  it('come once, in the order of their times, the last time set for a key being the one that counts', async () => {
    const clock = new FakeClock();
    const woken: string[] = [];
    await using wakeups = new Wakeups({ clock, time: 'wall', wake: (key) => woken.push(`${key} at ${clock.now()}`) });
    wakeups.set('late', 300);
    wakeups.set('early', 100);
    wakeups.set('moved', 50);
    wakeups.set('moved', 200);
    wakeups.set('forgotten', 10);
    wakeups.set('forgotten', undefined);
    await clock.advance(1_000);
    assert.deepEqual(woken, ['early at 100', 'moved at 200', 'late at 300']);
  });

  it('whose time has passed come at once', async () => {
    const clock = new FakeClock(500);
    const woken: string[] = [];
    await using wakeups = new Wakeups({ clock, time: 'wall', wake: (key) => woken.push(key) });
    wakeups.set('past', 400);
    await clock.advance(0);
    assert.deepEqual(woken, ['past']);
  });

  it('do not come after disposal', async () => {
    const clock = new FakeClock();
    const woken: string[] = [];
    const wakeups = new Wakeups({ clock, time: 'monotonic', wake: (key) => woken.push(key) });
    wakeups.set('key', 100);
    await wakeups[Symbol.asyncDispose]();
    wakeups.set('key', 50);
    await clock.advance(1_000);
    assert.deepEqual(woken, []);
  });
});
