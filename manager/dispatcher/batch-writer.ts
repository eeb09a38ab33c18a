export type BatchWriterOptions<T> = {
  /** Makes all items durable, or rejects and has made none. */
  readonly write: (items: readonly T[]) => Promise<void>;
  /** Items of one batch at most. */
  readonly maxItems: number;
};

/** Gathers items while the batch before them is being written: alone an item waits for nothing, under load many share a commit. */
export class BatchWriter<T> implements AsyncDisposable {
  readonly #options: BatchWriterOptions<T>;
  #queue: { readonly item: T; readonly done: PromiseWithResolvers<void> }[] = [];
  #writing: Promise<void> | undefined;
  #disposed = false;

  constructor(options: BatchWriterOptions<T>) { this.#options = options; }

  /** Resolves once the item is durable; rejects with what stopped its batch. */
  add(item: T): Promise<void> {
    if (this.#disposed) return Promise.reject(new Error('the writer is disposed'));
    const done = Promise.withResolvers<void>();
    this.#queue.push({ item, done });
    this.#writing ??= this.#writeAll();
    return done.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // what arrives in the same turn shares the batch
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.maxItems);
      try {
        await this.#options.write(batch.map(({ item }) => item));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#writing = undefined;
  }
}
