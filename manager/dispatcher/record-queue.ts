/** Records from one producer to one consumer; the producer waits while `capacity` of them have not been taken. */
export class RecordQueue<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #ended = false;
  #arrival = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();

  constructor(capacity: number) { this.#capacity = capacity; }

  /** True once `end` was called: more is not wanted. */
  get ended(): boolean { return this.#ended; }

  /** Resolves when there is room for another; at once after the end, when nothing is kept. */
  async push(item: T): Promise<void> {
    if (this.#ended) return;
    this.#items.push(item);
    this.#arrival.resolve();
    while (this.#items.length >= this.#capacity && !this.#ended) {
      this.#room = Promise.withResolvers<void>();
      await this.#room.promise;
    }
  }

  /** What was pushed before can still be taken. */
  end(): void {
    this.#ended = true;
    this.#arrival.resolve();
    this.#room.resolve();
  }

  /** The next record; undefined after the last. Never rejects. */
  async take(): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#ended) {
      this.#arrival = Promise.withResolvers<void>();
      await this.#arrival.promise;
    }
    const item = this.#items.shift();
    this.#room.resolve();
    return item;
  }
}
