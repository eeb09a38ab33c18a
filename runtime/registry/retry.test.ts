import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { seededRandom } from '../../base/random.ts';
import { OrchError } from '../../model/errors.ts';
import { TransientFailure } from './registry-failure.ts';
import { withRetries } from './retry.ts';
import type { RetryPolicy } from './retry.ts';

const failure = (retryAfterMs?: number): TransientFailure => new TransientFailure(new OrchError('ORCH_REGISTRY', 'out of order'), retryAfterMs);

function policy(clock: FakeClock, signal?: AbortSignal): RetryPolicy {
  return { clock, random: { ...seededRandom(1), next: () => 1 }, attempts: 4, baseMs: 100, signal };
}

describe('withRetries', () => {
  it('waits twice as long each time, then tells the last failure', async () => {
    const clock = new FakeClock();
    const at: number[] = [];
    const result = assert.rejects(withRetries(() => {
      at.push(clock.now());
      return Promise.reject(failure());
    }, policy(clock)), { code: 'ORCH_REGISTRY', message: 'out of order' });
    await clock.advance(10_000);
    await result;
    assert.deepEqual(at, [0, 100, 300, 700]);
  });

  it('waits as long as it is asked to, unless that is more than a minute', async () => {
    const clock = new FakeClock();
    const at: number[] = [];
    const waits = [5_000, 61_000];
    const result = assert.rejects(withRetries(() => {
      at.push(clock.now());
      return Promise.reject(failure(waits.shift()));
    }, policy(clock)), { code: 'ORCH_REGISTRY' });
    await clock.advance(100_000);
    await result;
    assert.deepEqual(at, [0, 5_000]);
  });

  it('tries what will not pass once, and ends at once when aborted', async () => {
    const clock = new FakeClock();
    let tries = 0;
    await assert.rejects(withRetries(() => {
      tries += 1;
      return Promise.reject(new OrchError('ORCH_NOT_FOUND', 'gone'));
    }, policy(clock)), { code: 'ORCH_NOT_FOUND' });
    assert.equal(tries, 1);
    const abort = new AbortController();
    const waiting = assert.rejects(withRetries(() => Promise.reject(failure()), policy(clock, abort.signal)), { message: 'stop' });
    await new Promise(setImmediate);
    abort.abort(new Error('stop'));
    await waiting;
  });
});
