import type { Clock } from '../base/clock.ts';

export type KeyedLoopOptions = {
  /** Reads current state for `key` and moves it on; must be idempotent, and end soon after `signal` aborts. */
  reconcile(key: string, signal: AbortSignal): Promise<void>;
  clock: Clock;
  /** First retry delay in ms; doubles per consecutive failure of the same key, up to `maxDelayMs`. */
  baseDelayMs?: number;
  maxDelayMs?: number;
  onError(key: string, error: unknown): void;
};

type Entry = { dirty: boolean; running: Promise<void> };

/** Like ReconcileLoop, but keys do not wait for each other: one key is worked on once at a time, different keys at the same time. */
export class KeyedLoop implements AsyncDisposable {
  readonly #options: KeyedLoopOptions;
  readonly #abort = new AbortController();
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, number>();

  constructor(options: KeyedLoopOptions) { this.#options = options; }

  enqueue(key: string): void {
    if (this.#abort.signal.aborted) return;
    const entry = this.#entries.get(key);
    if (entry) {
      entry.dirty = true;
      return;
    }
    const fresh: Entry = { dirty: true, running: Promise.resolve() };
    this.#entries.set(key, fresh);
    fresh.running = this.#run(key, fresh);
  }

  /** Aborts what runs and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('keyed loop stopped'));
    await Promise.all([...this.#entries.values()].map((entry) => entry.running));
  }

  async #run(key: string, entry: Entry): Promise<void> {
    await Promise.resolve(); // enqueue() stores the promise first
    while (entry.dirty && !this.#abort.signal.aborted) {
      entry.dirty = false;
      await this.#reconcileOnce(key);
    }
    this.#entries.delete(key); // same tick as the last look at `dirty`, so no enqueue is lost
  }

  async #reconcileOnce(key: string): Promise<void> {
    try {
      await this.#options.reconcile(key, this.#abort.signal);
      this.#failures.delete(key);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#options.onError(key, error);
      this.#retryLater(key);
    }
  }

  #retryLater(key: string): void {
    const { clock, baseDelayMs = 100, maxDelayMs = 30_000 } = this.#options;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failures - 1, 20));
    clock.sleep(delayMs, this.#abort.signal).then(() => this.enqueue(key), () => { /* stopped while waiting */ });
  }
}
