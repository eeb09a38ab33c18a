import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { KeyedLoop } from './keyed-loop.ts';

const turns = async (): Promise<void> => { for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate); };

describe('KeyedLoop', () => {
  it('works on different keys at the same time and on one key once at a time', async () => {
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    await using loop = new KeyedLoop({ clock: new FakeClock(), onError: assert.fail, async reconcile(key) {
      log.push(`${key} begins`);
      await new Promise<void>((resolve) => { gates.set(key, resolve); });
      log.push(`${key} ends`);
    } });
    for (const key of ['a', 'b', 'a']) loop.enqueue(key);
    await turns();
    loop.enqueue('a');
    gates.get('b')?.();
    await turns();
    assert.deepEqual(log, ['a begins', 'b begins', 'b ends']);
    gates.get('a')?.();
    await turns();
    assert.deepEqual(log.slice(3), ['a ends', 'a begins'], 'both requests became one more pass');
    gates.get('a')?.();
  });

  it('never loses an enqueue made in the microtask after a pass', async () => {
    for (let depth = 0; depth < 12; depth += 1) {
      let runs = 0;
      await using loop = new KeyedLoop({ clock: new FakeClock(), onError: assert.fail, async reconcile() {
        runs += 1;
        if (runs > 1) return;
        let later = Promise.resolve();
        for (let i = 0; i < depth; i += 1) later = later.then(() => {});
        void later.then(() => loop.enqueue('a'));
        await Promise.resolve();
      } });
      loop.enqueue('a');
      await turns();
      assert.equal(runs, 2, `lost at microtask depth ${depth}`);
    }
  });
});

describe('KeyedLoop in trouble', () => {
  it('tries a failed key again after 100 ms, 200 ms and so on, other keys meanwhile', async () => {
    const clock = new FakeClock();
    const triedAtMs: number[] = [];
    let others = 0;
    await using loop = new KeyedLoop({ clock, onError() {}, async reconcile(key) {
      await Promise.resolve();
      if (key === 'good') {
        others += 1;
        return;
      }
      triedAtMs.push(clock.now());
      if (triedAtMs.length < 4) throw new Error('not yet');
    } });
    loop.enqueue('bad');
    loop.enqueue('good');
    await clock.advance(10_000);
    assert.deepEqual([triedAtMs, others], [[0, 100, 300, 700], 1]);
    loop.enqueue('bad');
    await clock.advance(10_000);
    assert.equal(triedAtMs.length, 5);
  });

  it('aborts what runs when it is stopped', async () => {
    let reason: unknown;
    const loop = new KeyedLoop({ clock: new FakeClock(), onError: assert.fail, async reconcile(_, signal) {
      await new Promise<void>((resolve) => { signal.addEventListener('abort', () => resolve()); });
      reason = signal.reason;
      throw new Error('ended by the abort');
    } });
    loop.enqueue('a');
    await turns();
    await loop[Symbol.asyncDispose]();
    assert.ok(reason instanceof Error);
    loop.enqueue('a');
  });
});
