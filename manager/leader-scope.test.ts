import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { isOrchError } from '../model/errors.ts';
import type { Store } from '../store/store.ts';
import { openMemoryStore } from '../store/testing.ts';
import { LeaderScope, LEADER_KEY } from './leader-scope.ts';
import type { LoopContext } from './loop-context.ts';

describe('leading the cluster', () => {
  it('is done by one manager at a time; the next takes over once the key of a silent one has run out', async () => {
    const clock = new FakeClock();
    await using store = await openMemoryStore(clock);
    const first = candidate(store, clock, 'first');
    await first.scope.decided();
    await using second = candidate(store, clock, 'second');
    await second.scope.decided();
    assert.deepEqual([first.scope.leading, second.scope.leading], [true, false]);
    await first.scope[Symbol.asyncDispose]();
    assert.deepEqual(first.events, ['start', 'stop']);
    await clock.advance(5_000);
    assert.equal(second.scope.leading, true);
  });

  it('stops all work when the key is lost, and what is under way can not be committed', async () => {
    const clock = new FakeClock();
    await using store = await openMemoryStore(clock);
    await using leader = candidate(store, clock, 'slow');
    await leader.scope.decided();
    const [context] = leader.contexts;
    assert.ok(context);
    await store.resign(context.fence);
    await store.campaign({ key: LEADER_KEY, holder: 'other' }, 60_000);
    await assert.rejects(store.update((tx) => tx.blockedNode.create({ id: 'x' }), { fence: context.fence }), (error) => isOrchError(error, 'ORCH_CONFLICT'));
    await clock.advance(1_250);
    assert.deepEqual([leader.scope.leading, leader.events.at(-1), context.signal.aborted], [false, 'stop', true]);
  });

  it('begins again after its work could not be started', async () => {
    const clock = new FakeClock();
    await using store = await openMemoryStore(clock);
    let attempts = 0;
    await using scope = new LeaderScope({
      store, clock, random: seededRandom(1), log: silentLog, holder: 'a',
      start: () => (attempts += 1) === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(),
    });
    await clock.advance(2_000);
    assert.deepEqual([attempts, scope.leading], [2, true]);
  });
});

type Candidate = AsyncDisposable & { readonly scope: LeaderScope; readonly events: string[]; readonly contexts: LoopContext[] };

function candidate(store: Store, clock: FakeClock, holder: string): Candidate {
  const events: string[] = [];
  const contexts: LoopContext[] = [];
  const scope = new LeaderScope({
    store, clock, random: seededRandom(1), log: silentLog, holder,
    start: (context, stack) => {
      events.push('start');
      contexts.push(context);
      stack.defer(() => { events.push('stop'); });
      return Promise.resolve();
    },
  });
  return { scope, events, contexts, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}
