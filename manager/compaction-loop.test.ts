import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { isOrchError } from '../model/errors.ts';
import { openMemoryStore } from '../store/testing.ts';
import type { Store } from '../store/store.ts';
import { COMPACTION_PERIOD_MS, startCompactionLoop } from './compaction-loop.ts';
import { LEADER_KEY } from './leader-scope.ts';

/** Whether a watch from just after that revision still finds the history. */
async function remembers(store: Store, revision: number): Promise<boolean> {
  const abort = new AbortController();
  try {
    for await (const batch of store.watch({ from: { epoch: store.revision.epoch, revision }, signal: abort.signal })) return batch.revision.revision > revision;
    return true;
  } catch (error) {
    if (isOrchError(error, 'ORCH_CONFLICT')) return false;
    throw error;
  } finally {
    abort.abort();
  }
}

describe('the compaction loop', () => {
  it('forgets history that is older than a period, and keeps the newest', async () => {
    const clock = new FakeClock(1_000);
    await using store = await openMemoryStore(clock);
    await store.campaign({ key: LEADER_KEY, holder: 'm1' }, 3_600_000);
    const compacted: number[] = [];
    const watched = new Proxy<Store>(store, {
      get(target, key) {
        if (key === 'compact') return (revision: number) => { compacted.push(revision); return target.compact(revision); };
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await using scope = new AsyncDisposableStack();
    startCompactionLoop({ store: watched, clock, random: seededRandom(1), log: silentLog, fence: { key: LEADER_KEY, holder: 'm1' }, signal: new AbortController().signal }, scope);
    const started = store.revision.revision;
    await store.update((tx) => { tx.blockedNode.create({ id: 'a' }); });
    const afterFirst = store.revision.revision;
    await clock.advance(COMPACTION_PERIOD_MS);
    assert.deepEqual(compacted, [started], 'what this period wrote stays');
    await store.update((tx) => { tx.blockedNode.create({ id: 'b' }); });
    await clock.advance(COMPACTION_PERIOD_MS);
    assert.deepEqual(compacted, [started, afterFirst]);
    assert.equal(await remembers(store, afterFirst), true);
  });
});
