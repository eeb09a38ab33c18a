type Waiter = { readonly revision: number; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/** Callers that wait until a revision has become visible. */
export class RevisionWaiters {
  /** In the order of revisions. */
  #waiters: Waiter[] = [];
  #reached: number;
  #failure: { readonly error: unknown } | undefined;

  constructor(reached: number) { this.#reached = reached; }

  /** Resolves once `revision` is reached; rejects with the error given to `fail`. */
  wait(revision: number): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (revision <= this.#reached) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const position = this.#waiters.findLastIndex((waiter) => waiter.revision <= revision) + 1;
    this.#waiters.splice(position, 0, { revision, resolve, reject });
    return promise;
  }

  /** Lets go everybody who waits for `revision` or an earlier one. */
  reach(revision: number): void {
    this.#reached = revision;
    let count = 0;
    for (const waiter of this.#waiters) {
      if (waiter.revision > revision) break;
      waiter.resolve();
      count += 1;
    }
    if (count > 0) this.#waiters.splice(0, count);
  }

  /** Rejects everybody, now and from now on. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
