import type { Clock } from '../base/clock.ts';

export type WakeupsOptions = {
  readonly clock: Clock;
  /** Which of the clock's times the wake-ups are given in. Wall time is right for times that are stored, monotonic time for how long something has been silent. */
  readonly time: 'wall' | 'monotonic';
  /** Called once for each key whose time has come. */
  readonly wake: (key: string) => void;
};

/** Calls back for keys at given times; one timer for all of them. */
export class Wakeups implements AsyncDisposable {
  readonly #options: WakeupsOptions;
  readonly #times = new Map<string, number>();
  readonly #ended = new AbortController();
  #sleeping: { readonly untilMs: number; readonly abort: AbortController } | undefined;

  constructor(options: WakeupsOptions) { this.#options = options; }

  /** Wakes `key` at `timeMs` instead of any time set before; undefined forgets it. */
  set(key: string, timeMs: number | undefined): void {
    if (this.#ended.signal.aborted) return;
    if (timeMs === undefined) {
      this.#times.delete(key);
      return;
    }
    this.#times.set(key, timeMs);
    if (!this.#sleeping || timeMs < this.#sleeping.untilMs) this.#sleepUntil(timeMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('wake-ups stopped'));
    this.#sleeping?.abort.abort(this.#ended.signal.reason);
    return Promise.resolve();
  }

  #now(): number { return this.#options.time === 'wall' ? this.#options.clock.now() : this.#options.clock.monotonic(); }

  #sleepUntil(untilMs: number): void {
    this.#sleeping?.abort.abort(new Error('replaced by an earlier time'));
    const abort = new AbortController();
    this.#sleeping = { untilMs, abort };
    this.#options.clock.sleep(Math.max(0, untilMs - this.#now()), abort.signal)
      .then(() => this.#wakeDue(), () => { /* replaced or stopped */ });
  }

  #wakeDue(): void {
    this.#sleeping = undefined;
    const nowMs = this.#now();
    let nextMs = Infinity;
    for (const [key, timeMs] of this.#times) {
      if (timeMs > nowMs) {
        nextMs = Math.min(nextMs, timeMs);
        continue;
      }
      this.#times.delete(key);
      this.#options.wake(key);
    }
    if (nextMs < Infinity && !this.#ended.signal.aborted) this.#sleepUntil(nextMs);
  }
}
