import type { Clock } from './clock.ts';

type Sleeper = { dueMs: number; wake: () => void };

/** A clock that stands still until `advance` is called; sleepers wake in time order. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(nowMs = 0) { this.#nowMs = nowMs; }

  now(): number { return this.#nowMs; }
  monotonic(): number { return this.#nowMs; }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const sleeper = { dueMs: this.#nowMs + durationMs, wake: resolve };
    this.#sleepers.add(sleeper);
    const onAbort = (): void => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  /** Moves time forward by `durationMs`; the event loop turns after each woken sleeper, so chained sleeps inside one call fire too. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await turn();
    for (let next = this.#earliest(endMs); next; next = this.#earliest(endMs)) {
      this.#nowMs = next.dueMs;
      this.#sleepers.delete(next);
      next.wake();
      await turn();
    }
    this.#nowMs = endMs;
    await turn();
  }

  #earliest(endMs: number): Sleeper | undefined {
    let earliest: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= endMs && (!earliest || sleeper.dueMs < earliest.dueMs)) earliest = sleeper;
    }
    return earliest;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
