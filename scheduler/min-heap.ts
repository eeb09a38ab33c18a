/** Values by ascending key; of equal keys, in an order that depends only on the calls made. */
export class MinHeap<T> {
  readonly #keys: number[] = [];
  readonly #values: T[] = [];

  push(key: number, value: T): void {
    let at = this.#keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentKey = this.#keys[parent];
      const parentValue = this.#values[parent];
      if (parentKey === undefined || parentValue === undefined || parentKey <= key) break;
      this.#keys[at] = parentKey;
      this.#values[at] = parentValue;
      at = parent;
    }
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  peek(): T | undefined {
    return this.#values[0];
  }

  /** Key of the first value; Infinity when there is none. */
  peekKey(): number {
    return this.#keys[0] ?? Number.POSITIVE_INFINITY;
  }

  pop(): T | undefined {
    const first = this.#values[0];
    const key = this.#keys.pop();
    const value = this.#values.pop();
    if (this.#keys.length > 0 && key !== undefined && value !== undefined) this.#sink(key, value);
    return first;
  }

  /** Gives the first value another key. */
  rekeyTop(key: number): void {
    const first = this.#values[0];
    if (first !== undefined) this.#sink(key, first);
  }

  /** Puts the entry where the first one is, then moves it down to its place. */
  #sink(key: number, value: T): void {
    const { length } = this.#keys;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && (this.#keys[child + 1] ?? 0) < (this.#keys[child] ?? 0)) child += 1;
      const childKey = this.#keys[child];
      const childValue = this.#values[child];
      if (childKey === undefined || childValue === undefined || childKey >= key) break;
      this.#keys[at] = childKey;
      this.#values[at] = childValue;
      at = child;
    }
    this.#keys[at] = key;
    this.#values[at] = value;
  }
}
