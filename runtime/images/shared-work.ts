/** One run of work that several callers wait for. */
type Run<T, P> = {
  readonly abort: AbortController;
  readonly result: Promise<T>;
  readonly listeners: Set<(progress: P) => void>;
  waiting: number;
};

/** Work by key that is done once for all who ask meanwhile; it is cut off when the last of them has left. */
export class SharedWork<T, P = never> {
  readonly #runs = new Map<string, Run<T, P>>();

  /**
   * The result of the run for `key` that is under way, else of `start`. Rejects with the signal's reason when this caller's signal is aborted.
   * A caller who joined and sees the run fail starts one of its own: the failure may be the other's, such as missing credentials.
   */
  async run(key: string, start: (signal: AbortSignal, onProgress: (progress: P) => void) => Promise<T>, options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: ((progress: P) => void) | undefined } = {}): Promise<T> {
    const existing = this.#runs.get(key);
    if (existing === undefined || existing.abort.signal.aborted) return await this.#wait(this.#begin(key, start), options);
    try {
      return await this.#wait(existing, options);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      return await this.run(key, start, options);
    }
  }

  #begin(key: string, start: (signal: AbortSignal, onProgress: (progress: P) => void) => Promise<T>): Run<T, P> {
    const abort = new AbortController();
    const listeners = new Set<(progress: P) => void>();
    const result = start(abort.signal, (progress) => { for (const listener of listeners) listener(progress); });
    const run: Run<T, P> = { abort, listeners, waiting: 0, result };
    this.#runs.set(key, run);
    const forget = (): void => { if (this.#runs.get(key) === run) this.#runs.delete(key); };
    result.then(forget, forget);
    return run;
  }

  async #wait(run: Run<T, P>, { signal, onProgress }: { readonly signal?: AbortSignal | undefined; readonly onProgress?: ((progress: P) => void) | undefined }): Promise<T> {
    signal?.throwIfAborted();
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal?.reason);
    run.waiting += 1;
    if (onProgress) run.listeners.add(onProgress);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([run.result, left.promise]);
    } finally {
      signal?.removeEventListener('abort', leave);
      if (onProgress) run.listeners.delete(onProgress);
      run.waiting -= 1;
      if (run.waiting === 0) await this.#end(run);
    }
  }

  /** Nobody waits any more: what is still running stops before the last caller goes on, so that it leaves nothing behind its back. */
  async #end(run: Run<T, P>): Promise<void> {
    run.abort.abort(new Error('nobody waits for this any more'));
    await run.result.catch(() => { /* the callers have their own reason */ });
  }
}
