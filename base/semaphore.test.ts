import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Semaphore } from './semaphore.ts';

describe('Semaphore', () => {
  it('runs no more than its permits at once and everything in the end', async () => {
    const semaphore = new Semaphore(2);
    let running = 0;
    let most = 0;
    const results = await Promise.all([1, 2, 3, 4, 5].map((value) => semaphore.run(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return value;
    })));
    assert.deepEqual(results, [1, 2, 3, 4, 5]);
    assert.equal(most, 2);
  });

  it('gives the turn on when work throws, or is aborted while it waits', async () => {
    const semaphore = new Semaphore(1);
    const abort = new AbortController();
    const first = semaphore.run(() => Promise.reject(new Error('first')));
    const second = semaphore.run(() => Promise.resolve('second'), abort.signal);
    const third = semaphore.run(() => Promise.resolve('third'));
    abort.abort(new Error('gone'));
    await assert.rejects(first, { message: 'first' });
    await assert.rejects(second, { message: 'gone' });
    assert.equal(await third, 'third');
  });

  it('lets go of who is aborted at once, while others still work', async () => {
    const semaphore = new Semaphore(1);
    const release = Promise.withResolvers<void>();
    const abort = new AbortController();
    const first = semaphore.run(() => release.promise);
    const second = semaphore.run(() => Promise.resolve('second'), abort.signal);
    abort.abort(new Error('gone'));
    await assert.rejects(second, { message: 'gone' });
    release.resolve();
    await first;
    assert.equal(await semaphore.run(() => Promise.resolve('third')), 'third');
  });
});
