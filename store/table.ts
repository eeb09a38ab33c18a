import type { Meta } from '../model/meta.ts';
import type { Index } from './kinds.ts';

export type Indexes<T> = Readonly<Record<string, Index<T>>>;

/** An object's place in a unique index. */
export type UniqueEntry = { readonly index: string; readonly value: string };

/** Objects of one index key; the array is made when somebody asks and kept until a member changes. */
class Bucket<T> {
  readonly #members = new Set<T>();
  #array: readonly T[] | undefined;

  get size(): number { return this.#members.size; }

  add(object: T): void {
    this.#members.add(object);
    this.#array = undefined;
  }

  delete(object: T): void {
    this.#members.delete(object);
    this.#array = undefined;
  }

  array(): readonly T[] {
    this.#array ??= [...this.#members];
    return this.#array;
  }
}

const nothing: readonly never[] = [];

/** All objects of one kind by id, with indexes. Arrays it gave out never change. */
export class Table<T extends Meta> {
  readonly #objects = new Map<string, T>();
  /** Store revision at which each object was last written. */
  readonly #modRevisions = new Map<string, number>();
  readonly #indexes: readonly (Index<T> & { readonly name: string; readonly buckets: Map<string, Bucket<T>> })[];

  constructor(indexes: Indexes<T>) {
    this.#indexes = Object.entries(indexes).map(([name, index]) => ({ ...index, name, buckets: new Map() }));
  }

  get count(): number { return this.#objects.size; }
  get(id: string): T | undefined { return this.#objects.get(id); }
  list(): Iterable<T> { return this.#objects.values(); }
  ids(): Iterable<string> { return this.#objects.keys(); }

  by(index: string, key: string): readonly T[] {
    for (const { name, buckets } of this.#indexes) {
      if (name === index) return buckets.get(key)?.array() ?? nothing;
    }
    return nothing;
  }

  /** What `object` takes in the unique indexes. */
  uniqueEntries(object: T): UniqueEntry[] {
    const entries: UniqueEntry[] = [];
    for (const { name, key, unique } of this.#indexes) {
      const value = unique ? key(object) : undefined;
      if (value !== undefined) entries.push({ index: name, value });
    }
    return entries;
  }

  /** When the object was last written; undefined when there is none. */
  modRevision(id: string): number | undefined { return this.#modRevisions.get(id); }

  /** Puts `object`, written at `modRevision`, in the place of the one with its id; returns the one that was there. */
  set(object: T, modRevision: number): T | undefined {
    const before = this.#objects.get(object.id);
    this.#objects.set(object.id, object);
    this.#modRevisions.set(object.id, modRevision);
    this.#reindex(before, object);
    return before;
  }

  delete(id: string): T | undefined {
    const before = this.#objects.get(id);
    this.#objects.delete(id);
    this.#modRevisions.delete(id);
    this.#reindex(before, undefined);
    return before;
  }

  #reindex(before: T | undefined, after: T | undefined): void {
    for (const { key, buckets } of this.#indexes) {
      const beforeKey = before && key(before);
      const afterKey = after && key(after);
      if (before && beforeKey !== undefined) removeFrom(buckets, beforeKey, before);
      if (after && afterKey !== undefined) addTo(buckets, afterKey, after);
    }
  }
}

function addTo<T>(buckets: Map<string, Bucket<T>>, key: string, object: T): void {
  let bucket = buckets.get(key);
  if (!bucket) {
    bucket = new Bucket();
    buckets.set(key, bucket);
  }
  bucket.add(object);
}

function removeFrom<T>(buckets: Map<string, Bucket<T>>, key: string, object: T): void {
  const bucket = buckets.get(key);
  bucket?.delete(object);
  if (bucket?.size === 0) buckets.delete(key);
}
