import type { Clock } from '../base/clock.ts';

/** What is measured and done; the process's own, unless a test brings others. */
export type CollectorProcess = {
  /** CPU time of all threads so far, in ms. */
  cpuMs(): number;
  heapUsedBytes(): number;
  /** Collects all garbage at once and gives free pages back to the system. */
  collect(): void;
};

const WINDOW_MS = 5_000;
/** A window with less CPU time than this share is quiet. */
const QUIET_SHARE = 0.04;
/** A whole collection stops the daemon for about 2 ms a megabyte; larger heaps are left to the garbage collector. */
const LARGEST_HEAP_BYTES = 64 * 1024 ** 2;

/**
 * Collects garbage once each time the daemon has become quiet. V8 keeps what a burst of work made it take (8 MB after
 * start), because while nothing is allocated nothing tells it to give anything back. Ends when the signal aborts.
 */
export async function collectWhenQuiet(own: CollectorProcess, clock: Clock, signal: AbortSignal): Promise<void> {
  let wasBusy = true;
  for (let before = own.cpuMs(); await sleepUnlessAborted(clock, signal);) {
    const now = own.cpuMs();
    const isBusy = now - before > WINDOW_MS * QUIET_SHARE;
    const isDue = wasBusy && !isBusy && own.heapUsedBytes() <= LARGEST_HEAP_BYTES;
    if (isDue) own.collect();
    wasBusy = isBusy;
    before = isDue ? own.cpuMs() : now;
  }
}

/** False when the signal has aborted. */
async function sleepUnlessAborted(clock: Clock, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(WINDOW_MS, signal).then(() => true, () => false);
}

/** This process; bin/orch starts daemons so that `gc` is there. */
export const ownProcess: CollectorProcess = {
  cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  heapUsedBytes: () => process.memoryUsage().heapUsed,
  collect: () => globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'sync' }),
};
