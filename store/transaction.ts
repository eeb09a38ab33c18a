import type { Condition, Operation } from './backend.ts';
import { encodeObject } from './codec.ts';
import { objectKey, uniqueKey } from './keys.ts';
import { kindNames } from './kinds.ts';
import type { Mirror, Written } from './mirror.ts';
import type { Fence, Kind, Kinds, Tx } from './store.ts';
import { TxTable, type Write } from './tx-table.ts';

/** What a transaction asks of the backend. */
export type Plan = {
  readonly operations: readonly Operation[];
  readonly conditions: readonly Condition[];
  /** Every object it writes, by key. */
  readonly written: ReadonlyMap<string, Written>;
};

type TxTables = { readonly [K in Kind]: TxTable<K> };
/** Who owned a name before the transaction and who does after it. */
type NameMove = { from: string | undefined; to: string | undefined };
type Draft = { operations: Operation[]; conditions: Condition[]; written: Map<string, Written>; names: Map<string, NameMove> };

/** One run of a `write` function: reads go to the mirror, writes stay in an overlay that later reads see. */
export class Transaction {
  readonly tx: Tx;
  readonly #tables: TxTables;
  readonly #mirror: Mirror;

  constructor(mirror: Mirror, nowMs: number) {
    const { tables } = mirror;
    this.#mirror = mirror;
    this.#tables = {
      cluster: new TxTable('cluster', tables.cluster, nowMs),
      node: new TxTable('node', tables.node, nowMs),
      blockedNode: new TxTable('blockedNode', tables.blockedNode, nowMs),
      service: new TxTable('service', tables.service, nowMs),
      revision: new TxTable('revision', tables.revision, nowMs),
      task: new TxTable('task', tables.task, nowMs),
      network: new TxTable('network', tables.network, nowMs),
    };
    this.tx = { at: mirror.at, ...this.#tables };
  }

  /** What must be committed, and on which conditions: nothing it writes was changed by others since, names it takes are free, the fence holds. */
  plan(fence: Fence | undefined): Plan {
    const draft: Draft = { operations: [], conditions: [], written: new Map(), names: new Map() };
    for (const kind of kindNames) this.#planKind(kind, draft);
    for (const [key, move] of draft.names) planName(key, move, draft);
    if (fence && draft.operations.length > 0) draft.conditions.unshift({ type: 'equals', key: fence.key, value: fence.holder });
    return draft;
  }

  #planKind<K extends Kind>(kind: K, draft: Draft): void {
    const table: TxTable<K> = this.#tables[kind];
    for (const [id, write] of table.writes) {
      if (!write.before && !write.after) continue;
      const key = objectKey(kind, id);
      const value = write.after && encodeObject(kind, write.after);
      if (value !== undefined && write.after) draft.written.set(key, { value, object: write.after });
      draft.operations.push({ key, value });
      const modRevision = this.#mirror.tables[kind].modRevision(id);
      draft.conditions.push(modRevision === undefined ? { type: 'absent', key } : { type: 'unchanged', key, modRevision });
      collectNames(table, write, draft.names);
    }
  }
}

function collectNames<K extends Kind>(table: TxTable<K>, { before, after }: Write<Kinds[K]>, names: Map<string, NameMove>): void {
  for (const { index, value } of before ? table.uniqueEntries(before) : []) moveOf(names, uniqueKey(table.kind, index, value)).from = before?.id;
  for (const { index, value } of after ? table.uniqueEntries(after) : []) moveOf(names, uniqueKey(table.kind, index, value)).to = after?.id;
}

function moveOf(names: Map<string, NameMove>, key: string): NameMove {
  const move = names.get(key) ?? { from: undefined, to: undefined };
  names.set(key, move);
  return move;
}

function planName(key: string, { from, to }: NameMove, draft: Draft): void {
  if (from === to) return;
  draft.operations.push({ key, value: to });
  draft.conditions.push(from === undefined ? { type: 'absent', key } : { type: 'equals', key, value: from });
}
