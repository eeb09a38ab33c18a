import type { Node } from '../model/node.ts';

/** Stands for a value that was not read yet. */
const UNREAD = -1;

/** One property of nodes, such as a label, whose values are numbered so that what is decided for one node with a value holds for all of them. */
export class NodeColumn {
  readonly #read: (node: Node) => string | undefined;
  readonly #values: (string | undefined)[] = [];
  readonly #numbers = new Map<string | undefined, number>();
  /** By slot. */
  #known = new Int32Array(0);

  constructor(read: (node: Node) => string | undefined) {
    this.#read = read;
  }

  /** The number of the value of the node in the slot. Read once, until `forget`. */
  numberOf(slot: number, node: Node): number {
    const known = this.#known[slot] ?? UNREAD;
    return known === UNREAD ? this.#learn(slot, node) : known;
  }

  /** The value of that number. */
  value(number: number): string | undefined {
    return this.#values[number];
  }

  /** Must be called when the node in the slot has changed. */
  forget(slot: number): void {
    if (slot < this.#known.length) this.#known[slot] = UNREAD;
  }

  #learn(slot: number, node: Node): number {
    if (slot >= this.#known.length) {
      const larger = new Int32Array(2 * slot + 64).fill(UNREAD, this.#known.length);
      larger.set(this.#known);
      this.#known = larger;
    }
    const value = this.#read(node);
    const number = this.#numbers.getOrInsertComputed(value, () => this.#values.push(value) - 1);
    this.#known[slot] = number;
    return number;
  }
}
