/** One piece of work with its caller. */
export type WorkItem<Job> = { readonly job: Job; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/**
 * Hands jobs to a worker in batches, one batch at a time: what is asked for while a batch is worked on makes the next one,
 * so a burst costs few programs and a lone job waits for nothing. Jobs of the same key keep their order: they never share a batch.
 */
export class WorkQueue<Job> implements AsyncDisposable {
  readonly #work: (items: readonly WorkItem<Job>[]) => Promise<void>;
  readonly #keyOf: (job: Job) => string;
  #waiting: WorkItem<Job>[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  /** `work` must settle every item; when it throws instead, the unsettled ones are rejected with its error. */
  constructor(options: { work: (items: readonly WorkItem<Job>[]) => Promise<void>; keyOf: (job: Job) => string }) {
    this.#work = options.work;
    this.#keyOf = options.keyOf;
  }

  run(job: Job): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the work queue is closed'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ job, resolve, reject });
    this.#running ??= this.#drain();
    return promise;
  }

  /** Waits for the work that was asked for; takes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    await new Promise(setImmediate); // what is asked for in the same turn joins the first batch
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#work(batch);
      } catch (error) {
        for (const item of batch) item.reject(error);
      }
    }
    this.#running = undefined;
  }

  #takeBatch(): WorkItem<Job>[] {
    const keys = new Set<string>();
    let count = 0;
    for (const { job } of this.#waiting) {
      keys.add(this.#keyOf(job));
      if (keys.size === count) break; // the key is in this batch already
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
