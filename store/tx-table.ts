import { OrchError } from '../model/errors.ts';
import { kinds } from './kinds.ts';
import type { Kind, IndexNames, Kinds, NewObject, WriteTable } from './store.ts';
import { Table, type UniqueEntry } from './table.ts';

/** One object's fate in a transaction; both undefined when it was created and deleted again. */
export type Write<T> = { readonly before: T | undefined; readonly after: T | undefined };

/** The revision of what no commit holds yet. */
const UNCOMMITTED = 0;

/** A table as a transaction sees it: the mirror's, with the transaction's own writes over it. */
export class TxTable<K extends Kind> implements WriteTable<K> {
  readonly kind: K;
  readonly #base: Table<Kinds[K]>;
  readonly #nowMs: number;
  readonly #writes = new Map<string, Write<Kinds[K]>>();
  /** What `#writes` put there and what they replaced, indexed; made with the first write. */
  #overlay: { readonly written: Table<Kinds[K]>; readonly replaced: Table<Kinds[K]> } | undefined;

  constructor(kind: K, base: Table<Kinds[K]>, nowMs: number) {
    this.kind = kind;
    this.#base = base;
    this.#nowMs = nowMs;
  }

  /** Every object written so far. */
  get writes(): ReadonlyMap<string, Write<Kinds[K]>> { return this.#writes; }

  get count(): number {
    return this.#base.count + (this.#overlay ? this.#overlay.written.count - this.#overlay.replaced.count : 0);
  }

  get(id: string): Kinds[K] | undefined {
    const write = this.#writes.get(id);
    return write ? write.after : this.#base.get(id);
  }

  list(): Iterable<Kinds[K]> {
    return this.#overlay ? this.#mergedList(this.#overlay.written) : this.#base.list();
  }

  by(index: IndexNames[K], key: string): readonly Kinds[K][] { return this.#lookup(index, key); }

  /** What `object` takes in the unique indexes. */
  uniqueEntries(object: Kinds[K]): UniqueEntry[] { return this.#base.uniqueEntries(object); }

  #lookup(index: string, key: string): readonly Kinds[K][] {
    const base = this.#base.by(index, key);
    if (!this.#overlay) return base;
    const written = this.#overlay.written.by(index, key);
    const untouched = this.#overlay.replaced.by(index, key).length === 0 ? base : base.filter((object) => !this.#writes.has(object.id));
    return written.length === 0 ? untouched : [...untouched, ...written];
  }

  create(object: NewObject<K>): Kinds[K] {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- NewObject<K> lacks just these three fields
    const created = { ...object, version: 1, createdAtMs: this.#nowMs, updatedAtMs: this.#nowMs } as unknown as Kinds[K];
    const { id } = created;
    if (this.get(id)) throw new OrchError('ORCH_CONFLICT', `${kinds[this.kind].label} ${id} already exists`, { details: { id } });
    this.#write(id, created);
    return created;
  }

  update(object: Kinds[K]): Kinds[K] {
    const { id, version } = object;
    const stored = this.get(id);
    const { label } = kinds[this.kind];
    if (!stored) throw new OrchError('ORCH_NOT_FOUND', `${label} ${id} does not exist`, { details: { id } });
    if (stored.version !== version) {
      throw new OrchError('ORCH_CONFLICT', `${label} ${id} has changed: version ${version} was to be replaced, ${stored.version} is stored`, {
        hint: 'Read it again and repeat the change', details: { id, version, storedVersion: stored.version },
      });
    }
    const updated = { ...object, version: version + 1, createdAtMs: stored.createdAtMs, updatedAtMs: this.#nowMs };
    this.#write(id, updated);
    return updated;
  }

  delete(id: string): void {
    if (this.get(id)) this.#write(id, undefined);
  }

  #write(id: string, after: Kinds[K] | undefined): void {
    if (after) this.#checkNames(after);
    const { indexes } = kinds[this.kind];
    this.#overlay ??= { written: new Table<Kinds[K]>(indexes), replaced: new Table<Kinds[K]>(indexes) };
    const earlier = this.#writes.get(id);
    const before = earlier ? earlier.before : this.#base.get(id);
    this.#writes.set(id, { before, after });
    if (before && !earlier) this.#overlay.replaced.set(before, UNCOMMITTED);
    if (after) this.#overlay.written.set(after, UNCOMMITTED);
    else this.#overlay.written.delete(id);
  }

  #checkNames(object: Kinds[K]): void {
    for (const { index, value } of this.uniqueEntries(object)) {
      const owner = this.#lookup(index, value).find((other) => other.id !== object.id);
      if (owner) throw nameTakenError(this.kind, value, owner.id);
    }
  }

  *#mergedList(written: Table<Kinds[K]>): Iterable<Kinds[K]> {
    for (const object of this.#base.list()) if (!this.#writes.has(object.id)) yield object;
    yield* written.list();
  }
}

/** The answer to whoever asks for a name that is in use. */
const nameTakenError = (kind: Kind, name: string, ownerId: string): OrchError =>
  new OrchError('ORCH_NAME_TAKEN', `${kinds[kind].label} "${name}" already exists`, { details: { kind, name, id: ownerId } });
