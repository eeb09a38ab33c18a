import type { CommitChanges, Entry, KeyChange, StoreRevision } from './backend.ts';
import { checkKind, decodeObject } from './codec.ts';
import { objectKey, parseObjectKey } from './keys.ts';
import { kindNames, kinds } from './kinds.ts';
import type { Change, ChangeBatch, Kind, Kinds, View } from './store.ts';
import { Table } from './table.ts';

export type Tables = { readonly [K in Kind]: Table<Kinds[K]> };

/** An object together with its stored text, so that its writer need not decode it again. */
export type Written = { readonly value: string; readonly object: Kinds[Kind] };

/** The whole state in memory. Only changes that the backend has made durable come in, in its order. */
export class Mirror {
  readonly tables: Tables = {
    cluster: new Table(kinds.cluster.indexes),
    node: new Table(kinds.node.indexes),
    blockedNode: new Table(kinds.blockedNode.indexes),
    service: new Table(kinds.service.indexes),
    revision: new Table(kinds.revision.indexes),
    task: new Table(kinds.task.indexes),
    network: new Table(kinds.network.indexes),
  };
  readonly view: View;
  /** Objects that this process is committing, by key. */
  readonly #written = new Map<string, Written>();
  #at: StoreRevision;

  constructor(at: StoreRevision) {
    this.#at = at;
    const current = (): StoreRevision => this.#at;
    this.view = { get at() { return current(); }, ...this.tables };
  }

  get at(): StoreRevision { return this.#at; }

  /** Announces a commit of our own: its objects are taken as they are instead of being decoded. */
  expect(key: string, written: Written): void { this.#written.set(key, written); }

  /** Takes the announcement back. */
  forget(key: string, written: Written): void {
    if (this.#written.get(key) === written) this.#written.delete(key);
  }

  /** Takes in entries as they are at `revision`, without making changes of them; for the first load. */
  load(revision: number, entries: readonly Entry[]): void {
    for (const { key, value, modRevision } of entries) {
      const parsed = parseObjectKey(key);
      if (parsed) this.#insert(checkKind(parsed.kind), value, modRevision);
    }
    this.#at = { epoch: this.#at.epoch, revision };
  }

  /** Makes one commit visible; returns what it changed. */
  apply(commit: CommitChanges): ChangeBatch {
    const changes: Change[] = [];
    for (const change of commit.changes) {
      const made = this.#applyKey(change);
      if (made) changes.push(made);
    }
    this.#at = { epoch: this.#at.epoch, revision: commit.revision };
    return { revision: this.#at, changes };
  }

  /** Keys of all objects and when each was last written. */
  *modRevisions(): Iterable<{ key: string; modRevision: number | undefined }> {
    for (const kind of kindNames) {
      const table = this.tables[kind];
      for (const id of table.ids()) yield { key: objectKey(kind, id), modRevision: table.modRevision(id) };
    }
  }

  #applyKey(change: KeyChange): Change | undefined {
    const parsed = parseObjectKey(change.key);
    if (!parsed) return undefined;
    const kind = checkKind(parsed.kind);
    if (change.value === undefined) return changeOf(kind, parsed.id, { before: this.tables[kind].delete(parsed.id), after: undefined });
    return this.#set(kind, parsed.id, { ...change, value: change.value });
  }

  #insert<K extends Kind>(kind: K, value: string, modRevision: number): void {
    const table: Table<Kinds[K]> = this.tables[kind];
    table.set(decodeObject(kind, value), modRevision);
  }

  #set<K extends Kind>(kind: K, id: string, { key, value, revision }: KeyChange & { value: string }): Change {
    const written = this.#written.get(key);
    const after = written?.value === value ? written.object : decodeObject(kind, value);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key under which it was announced or decoded names the kind
    const object = after as Kinds[K];
    const table: Table<Kinds[K]> = this.tables[kind];
    return changeOf(kind, id, { before: table.set(object, revision), after: object });
  }
}

const changeOf = <K extends Kind>(kind: K, id: string, change: { before: Kinds[K] | undefined; after: Kinds[K] | undefined }): Change =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Change pairs each kind with its type; K is that kind
  ({ kind, id, ...change }) as unknown as Change;
