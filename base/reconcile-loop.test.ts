import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from './fake-clock.ts';
import { ReconcileLoop } from './reconcile-loop.ts';

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('ReconcileLoop', () => {
  it('never loses an enqueue made in the microtask after a pass', async () => {
    for (let depth = 0; depth < 12; depth += 1) {
      let runs = 0;
      await using loop = new ReconcileLoop({ clock: new FakeClock(), onError: assert.fail, async reconcile() {
        runs += 1;
        if (runs > 1) return;
        let later = Promise.resolve();
        for (let i = 0; i < depth; i += 1) later = later.then(() => {});
        void later.then(() => loop.enqueue('a'));
      } });
      loop.enqueue('a');
      await turn();
      assert.equal(runs, 2, `lost at microtask depth ${depth}`);
    }
  });

  it('works on one key after the other, and once for requests that come before its turn', async () => {
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    await using loop = new ReconcileLoop({ clock: new FakeClock(), onError: assert.fail, async reconcile(key) {
      log.push(`${key} begins`);
      if (log.length === 1) await gate.promise;
      log.push(`${key} ends`);
    } });
    for (const key of ['a', 'b', 'a', 'b']) loop.enqueue(key);
    await turn();
    assert.deepEqual(log, ['a begins']);
    loop.enqueue('b');
    gate.resolve();
    await turn();
    assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('looks again at a key that was requested while it worked on it', async () => {
    let runs = 0;
    await using loop = new ReconcileLoop({ clock: new FakeClock(), onError: assert.fail, async reconcile(key) {
      runs += 1;
      if (runs < 3) loop.enqueue(key);
      await Promise.resolve();
    } });
    loop.enqueue('a');
    await turn();
    assert.equal(runs, 3);
  });
});

describe('ReconcileLoop in trouble', () => {
  it('tries a failed key again, each time after twice as long up to a limit, and begins anew after a success', async () => {
    const clock = new FakeClock();
    const triedAtMs: number[] = [];
    const errors: string[] = [];
    let fails = true;
    await using loop = new ReconcileLoop({ clock, baseDelayMs: 100, maxDelayMs: 400, onError: (key, error) => errors.push(`${key} ${String(error)}`), async reconcile() {
      triedAtMs.push(clock.now());
      await Promise.resolve();
      if (fails) throw new Error('not yet');
    } });
    loop.enqueue('a');
    await clock.advance(1_500);
    assert.deepEqual(triedAtMs, [0, 100, 300, 700, 1_100, 1_500]);
    assert.deepEqual(new Set(errors), new Set(['a Error: not yet']));
    fails = false;
    await clock.advance(400);
    fails = true;
    loop.enqueue('a');
    await clock.advance(100);
    assert.deepEqual(triedAtMs.slice(6), [1_900, 1_900, 2_000]);
  });

  it('does not let a key that fails hold up others', async () => {
    const clock = new FakeClock();
    const done: string[] = [];
    await using loop = new ReconcileLoop({ clock, onError() {}, async reconcile(key) {
      await Promise.resolve();
      if (key === 'bad') throw new Error('never');
      done.push(key);
    } });
    for (const key of ['bad', 'a', 'b']) loop.enqueue(key);
    await clock.advance(0);
    assert.deepEqual(done, ['a', 'b']);
  });

});

describe('ReconcileLoop that is disposed', () => {
  it('aborts what it works on, waits for it, and does nothing from then on', async () => {
    const clock = new FakeClock();
    const log: string[] = [];
    const loop = new ReconcileLoop({ clock, onError: assert.fail, async reconcile(key, signal) {
      log.push(key);
      await clock.sleep(60_000, signal).finally(() => log.push('aborted'));
    } });
    loop.enqueue('a');
    loop.enqueue('b');
    await turn();
    await loop[Symbol.asyncDispose]();
    loop.enqueue('c');
    await clock.advance(120_000);
    assert.deepEqual(log, ['a', 'aborted']);
  });

  it('does not try again what failed', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const loop = new ReconcileLoop({ clock, onError() {}, async reconcile() { runs += 1; throw new Error('no'); } });
    loop.enqueue('a');
    await clock.advance(0);
    await loop[Symbol.asyncDispose]();
    await clock.advance(60_000);
    assert.equal(runs, 1);
  });
});
