import type { NodeId } from '../model/meta.ts';
import type { Node } from '../model/node.ts';
import type { Cause } from './explanation.ts';
import type { Requirements } from './requirements.ts';
import { NodeColumn } from './node-column.ts';
import { stateCause } from './requirements.ts';

/** A node as the scheduler sees it. An entry without `node` is that of a node which is gone but whose tasks are not. */
export type NodeEntry = {
  /** Index of the entry in the table; taken over by another node when this one and its tasks are gone. */
  readonly slot: number;
  readonly id: NodeId;
  node: Node | undefined;
  /** Why the node takes no tasks at all; undefined when it does. */
  stateCause: Cause | undefined;
  nanoCpus: number;
  memoryBytes: number;
  usedNanoCpus: number;
  usedMemoryBytes: number;
  /** Tasks that are to run here. */
  total: number;
  /** Tasks that hold resources here, which includes those that are being stopped. */
  holders: number;
  /** Holders of each host port. */
  readonly ports: Map<string, number>;
  /** Never the same again after the node's spec, description or state changed, nor for another node in the same slot. */
  staticVersion: number;
};

/** Nodes by slot, with a journal of the slots that changed, from which indexes bring themselves up to date. */
export class NodeTable {
  readonly #slots = new Map<NodeId, number>();
  readonly #entries: (NodeEntry | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #columns = new Map<string, NodeColumn>();
  #journal: number[] = [];
  #journalStart = 0;
  /** Where the journal ended when it was last read; entries from here on nobody has seen. */
  #readPosition = 0;
  #staticVersion = 0;
  #improvements = 0;

  /** One more than the highest slot ever used. */
  get capacity(): number {
    return this.#entries.length;
  }

  /** Grows whenever something happened that may give a place to a task which had none. */
  get improvements(): number {
    return this.#improvements;
  }

  /** Position after the last change. */
  get journalEnd(): number {
    return this.#journalStart + this.#journal.length;
  }

  at(slot: number): NodeEntry | undefined {
    return this.#entries[slot];
  }

  find(id: NodeId): NodeEntry | undefined {
    return this.#entries[this.#slots.get(id) ?? -1];
  }

  entries(): readonly (NodeEntry | undefined)[] {
    return this.#entries;
  }

  /** Slots that changed since position `from`, perhaps repeatedly; undefined when that is too long ago to know. */
  changesSince(from: number): readonly number[] | undefined {
    this.#readPosition = this.journalEnd;
    return from < this.#journalStart ? undefined : this.#journal.slice(from - this.#journalStart);
  }

  /** The column of that name. `read` is used when there is none yet. */
  column(name: string, read: (node: Node) => string | undefined): NodeColumn {
    return this.#columns.getOrInsertComputed(name, () => new NodeColumn(read));
  }

  upsert(node: Node): void {
    const entry = this.findOrAdd(node.id);
    entry.node = node;
    entry.stateCause = stateCause(node);
    entry.nanoCpus = node.description?.resources.nanoCpus ?? 0;
    entry.memoryBytes = node.description?.resources.memoryBytes ?? 0;
    this.#staticChange(entry);
  }

  remove(id: NodeId): void {
    const entry = this.find(id);
    if (!entry) return;
    entry.node = undefined;
    this.#staticChange(entry);
    this.#dropIfUnused(entry);
  }

  /** The entry of a node, which may not have been told of yet; to be held before anything else happens to the table. */
  findOrAdd(id: NodeId): NodeEntry {
    return this.find(id) ?? this.#add(id);
  }

  /** Sets aside on the node what one task of the revision needs, as far as that is known. */
  hold(entry: NodeEntry, requirements: Requirements | undefined): void {
    entry.holders += 1;
    if (requirements) this.holdMore(entry, requirements);
  }

  /** Sets aside what a holder needs whose requirements were not known before. */
  holdMore(entry: NodeEntry, requirements: Requirements): void {
    entry.usedNanoCpus += requirements.nanoCpus;
    entry.usedMemoryBytes += requirements.memoryBytes;
    for (const { name } of requirements.hostPorts) entry.ports.set(name, (entry.ports.get(name) ?? 0) + 1);
    this.#journalize(entry);
  }

  /** Gives back what `hold` and `holdMore` took. */
  release(entry: NodeEntry, requirements: Requirements | undefined): void {
    entry.holders -= 1;
    if (requirements) {
      entry.usedNanoCpus -= requirements.nanoCpus;
      entry.usedMemoryBytes -= requirements.memoryBytes;
      for (const { name } of requirements.hostPorts) decrement(entry.ports, name);
    }
    this.#improvements += 1;
    this.#journalize(entry);
    this.#dropIfUnused(entry);
  }

  /** Changes the number of tasks that are to run on the node. */
  count(entry: NodeEntry, difference: 1 | -1): void {
    entry.total += difference;
    if (difference < 0) this.#improvements += 1;
    this.#journalize(entry);
  }

  #add(id: NodeId): NodeEntry {
    const slot = this.#freeSlots.pop() ?? this.#entries.length;
    const entry: NodeEntry = {
      slot, id, node: undefined, stateCause: undefined, nanoCpus: 0, memoryBytes: 0, usedNanoCpus: 0, usedMemoryBytes: 0,
      total: 0, holders: 0, ports: new Map(), staticVersion: 0,
    };
    this.#entries[slot] = entry;
    this.#slots.set(id, slot);
    this.#staticChange(entry);
    return entry;
  }

  #dropIfUnused(entry: NodeEntry): void {
    if (entry.node || entry.holders > 0) return;
    this.#slots.delete(entry.id);
    this.#entries[entry.slot] = undefined;
    this.#freeSlots.push(entry.slot);
  }

  #staticChange(entry: NodeEntry): void {
    this.#staticVersion += 1;
    entry.staticVersion = this.#staticVersion;
    for (const column of this.#columns.values()) column.forget(entry.slot);
    this.#improvements += 1;
    this.#journalize(entry);
  }

  /** Forgets the journal when reading it would take longer than looking at every node. */
  #journalize(entry: NodeEntry): void {
    if (this.#journal.at(-1) === entry.slot && this.#readPosition < this.journalEnd) return;
    if (this.#journal.length >= 1024 + 2 * this.#entries.length) {
      this.#journalStart += this.#journal.length;
      this.#journal = [];
    }
    this.#journal.push(entry.slot);
  }
}

/** Takes one from a count and forgets counts of nothing. */
export function decrement<K>(counts: Map<K, number>, key: K): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
