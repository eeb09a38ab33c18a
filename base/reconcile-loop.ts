import type { Clock } from './clock.ts';

export type ReconcileLoopOptions = {
  /** Reads current state for `key` and moves it one step; must be idempotent (it will be called again). */
  reconcile(key: string, signal: AbortSignal): Promise<void>;
  clock: Clock;
  /** First retry delay in ms; doubles per consecutive failure of the same key, up to `maxDelayMs`. */
  baseDelayMs?: number;
  maxDelayMs?: number;
  onError(key: string, error: unknown): void;
};

/** One key at a time; duplicate enqueues coalesce; failures retry with capped exponential backoff. */
export class ReconcileLoop implements AsyncDisposable {
  readonly #options: ReconcileLoopOptions;
  readonly #abort = new AbortController();
  readonly #dirty = new Set<string>();
  readonly #failures = new Map<string, number>();
  #pass: Promise<void> | undefined;

  constructor(options: ReconcileLoopOptions) { this.#options = options; }

  enqueue(key: string): void {
    if (this.#abort.signal.aborted) return;
    this.#dirty.add(key);
    this.#pass ??= this.#runPass();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('reconcile loop stopped'));
    await this.#pass;
  }

  async #runPass(): Promise<void> {
    await Promise.resolve(); // never finish before enqueue() has stored the promise
    for (const key of this.#dirty) { // a Set also visits keys added while we await
      if (this.#abort.signal.aborted) break;
      this.#dirty.delete(key);
      await this.#reconcileOnce(key);
    }
    this.#pass = undefined; // same tick as the last emptiness check, so no enqueue is lost
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
    const delayMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1));
    clock.sleep(delayMs, this.#abort.signal).then(() => this.enqueue(key), () => { /* stopped while waiting */ });
  }
}
