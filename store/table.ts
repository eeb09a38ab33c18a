import type { Meta } from '../model/meta.ts';
import type { Index } from './kinds.ts';

export type Indexes<T> = Readonly<Record<string, Index<T>>>;

/** An object's place in a unique index. */
export type UniqueEntry = { readonly index: string; readonly value: string };

/** One id's current object. Buckets hold rows, so that replacing an object by one with the same index keys moves nothing. */
type Row<T> = { object: T; modRevision: number };

/** Larger buckets remember where each row is, once one has to be taken out. */
const SEARCHABLE_ROWS = 256;

/** The rows of one index key; the array of their objects is made when somebody asks and kept until one changes. */
class Bucket<T> {
  readonly #rows: Row<T>[] = [];
  #positions: Map<Row<T>, number> | undefined;
  #objects: readonly T[] | undefined;

  get size(): number { return this.#rows.length; }

  add(row: Row<T>): void {
    this.#positions?.set(row, this.#rows.length);
    this.#rows.push(row);
    this.#objects = undefined;
  }

  delete(row: Row<T>): void {
    const position = this.#position(row);
    const last = this.#rows.pop();
    if (last && last !== row) {
      this.#rows[position] = last;
      this.#positions?.set(last, position);
    }
    this.#positions?.delete(row);
    this.#objects = undefined;
  }

  /** To be called when the object of a row was replaced. */
  invalidate(): void { this.#objects = undefined; }

  objects(): readonly T[] {
    this.#objects ??= this.#rows.map(({ object }) => object);
    return this.#objects;
  }

  #position(row: Row<T>): number {
    if (this.#rows.length > SEARCHABLE_ROWS) this.#positions ??= new Map(this.#rows.map((other, position) => [other, position]));
    return this.#positions?.get(row) ?? this.#rows.indexOf(row);
  }
}

const nothing: readonly never[] = [];

/** All objects of one kind by id, with indexes. Arrays it gave out never change. */
export class Table<T extends Meta> {
  readonly #rows = new Map<string, Row<T>>();
  readonly #indexes: readonly (Index<T> & { readonly name: string; readonly buckets: Map<string, Bucket<T>> })[];

  constructor(indexes: Indexes<T>) {
    this.#indexes = Object.entries(indexes).map(([name, index]) => ({ ...index, name, buckets: new Map() }));
  }

  get count(): number { return this.#rows.size; }
  get(id: string): T | undefined { return this.#rows.get(id)?.object; }
  ids(): Iterable<string> { return this.#rows.keys(); }

  *list(): Iterable<T> {
    for (const { object } of this.#rows.values()) yield object;
  }

  by(index: string, key: string): readonly T[] {
    for (const { name, buckets } of this.#indexes) {
      if (name === index) return buckets.get(key)?.objects() ?? nothing;
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

  /** Store revision at which the object was last written; undefined when there is none. */
  modRevision(id: string): number | undefined { return this.#rows.get(id)?.modRevision; }

  /** Puts `object`, written at `modRevision`, in the place of the one with its id; returns the one that was there. */
  set(object: T, modRevision: number): T | undefined {
    const row = this.#rows.get(object.id);
    if (row) return this.#replace(row, { object, modRevision });
    const added = { object, modRevision };
    this.#rows.set(object.id, added);
    for (const { key, buckets } of this.#indexes) addTo(buckets, key(object), added);
    return undefined;
  }

  delete(id: string): T | undefined {
    const row = this.#rows.get(id);
    if (!row) return undefined;
    this.#rows.delete(id);
    for (const { key, buckets } of this.#indexes) removeFrom(buckets, key(row.object), row);
    return row.object;
  }

  #replace(row: Row<T>, { object, modRevision }: Row<T>): T {
    const before = row.object;
    row.object = object;
    row.modRevision = modRevision;
    for (const { key, buckets } of this.#indexes) {
      const keyBefore = key(before);
      const keyAfter = key(object);
      if (keyAfter === keyBefore) {
        if (keyAfter !== undefined) buckets.get(keyAfter)?.invalidate();
      } else {
        removeFrom(buckets, keyBefore, row);
        addTo(buckets, keyAfter, row);
      }
    }
    return before;
  }
}

function addTo<T>(buckets: Map<string, Bucket<T>>, key: string | undefined, row: Row<T>): void {
  if (key === undefined) return;
  let bucket = buckets.get(key);
  if (!bucket) {
    bucket = new Bucket();
    buckets.set(key, bucket);
  }
  bucket.add(row);
}

function removeFrom<T>(buckets: Map<string, Bucket<T>>, key: string | undefined, row: Row<T>): void {
  if (key === undefined) return;
  const bucket = buckets.get(key);
  bucket?.delete(row);
  if (bucket?.size === 0) buckets.delete(key);
}
