import { ReconcileLoop } from '../base/reconcile-loop.ts';
import { reportFailure, type LoopContext } from './loop-context.ts';
import { Wakeups } from './wakeups.ts';

/** Between two compactions. */
export const COMPACTION_PERIOD_MS = 5 * 60_000;

const KEY = 'history';

/** Forgets the store's history regularly. What was written since the compaction before stays, so that a watcher has at least one period to catch up. */
export function startCompactionLoop(context: LoopContext, scope: AsyncDisposableStack): void {
  const { store, clock } = context;
  let horizon = store.revision.revision;
  const loop = scope.use(new ReconcileLoop({
    clock, onError: reportFailure(context, 'compaction'),
    async reconcile() {
      await store.compact(horizon);
      horizon = store.revision.revision;
    },
  }));
  const wakeups: Wakeups = scope.use(new Wakeups({
    clock, time: 'wall',
    wake: (key) => {
      loop.enqueue(key);
      wakeups.set(key, clock.now() + COMPACTION_PERIOD_MS);
    },
  }));
  wakeups.set(KEY, clock.now() + COMPACTION_PERIOD_MS);
}
