import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Fence, Store, Tx } from '../store/store.ts';

/** What every loop of a leader works with; made anew for each time of leading. */
export type LoopContext = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Condition of every commit: a deposed leader writes nothing. */
  readonly fence: Fence;
  /** Aborted when leading ends. */
  readonly signal: AbortSignal;
};

/** Actions that go into one commit. */
export const COMMIT_BATCH = 100;

/** Commits `write` on condition that this manager still leads. */
export const commitAsLeader = <T>({ store, fence }: LoopContext, write: (tx: Tx) => T): Promise<T> => store.update(write, { fence });

/** For `onError` of a loop: says what failed; the loop repeats it. */
export const reportFailure = ({ log }: LoopContext, loop: string) => (key: string, error: unknown): void => {
  log.warn({ err: error, loop, key }, 'A step of the manager failed and is repeated');
};
