/** Runs pieces of work one after the other, in the order they came. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `work` once all work before it has ended, well or not. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => { /* belongs to the caller of that work */ });
    return result;
  }

  /** Resolves once nothing is left to do. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
