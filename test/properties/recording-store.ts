import type { Kind, Kinds, NewObject, Store, Tx, WriteTable } from '../../store/store.ts';

/** Who writes, told by the source file that asked for the commit. */
export type Component = 'api' | 'orchestrator' | 'reaper' | 'allocator' | 'scheduler' | 'agent' | 'dispatcher';

/** The first that is on the stack counts. */
const componentOfFile: readonly (readonly [string, Component])[] = [
  ['manager/control/', 'api'], ['orchestrator/service-loop.ts', 'orchestrator'], ['orchestrator/reaper-loop.ts', 'reaper'], ['manager/allocator.ts', 'allocator'],
  ['manager/scheduling-loop.ts', 'scheduler'], ['dispatcher/orphans.ts', 'dispatcher'], ['dispatcher/node-records.ts', 'dispatcher'], ['dispatcher/batch-writer.ts', 'agent'], ['dispatcher/dispatcher.ts', 'dispatcher'],
];

export type RecordedWrite = { readonly component: Component; readonly kind: Kind; readonly before: Kinds[Kind] | undefined; readonly after: Kinds[Kind] | undefined };

/** A store that tells `onWrite` of every write that was committed, and who made it. */
export function recordingStore(store: Store, onWrite: (write: RecordedWrite) => void): Store {
  return {
    get revision() { return store.revision; },
    view: (read) => store.view(read),
    async update(write, options) {
      const component = callingComponent();
      let writes: RecordedWrite[] = [];
      const result = await store.update((tx) => {
        writes = [];
        return write(recordingTx(tx, (record) => writes.push({ component, ...record })));
      }, options);
      for (const record of writes) onWrite(record);
      return result;
    },
    subscribe: (listener) => store.subscribe(listener),
    watch: (options) => store.watch(options),
    campaign: (fence, ttlMs) => store.campaign(fence, ttlMs),
    resign: (fence) => store.resign(fence),
    compact: (revision) => store.compact(revision),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function callingComponent(): Component {
  const stack = new Error().stack ?? '';
  const [, component] = componentOfFile.find(([file]) => stack.includes(file)) ?? [];
  if (!component) throw new Error(`nobody known asked for this commit:\n${stack}`);
  return component;
}

type Note = (write: Omit<RecordedWrite, 'component'>) => void;

function recordingTx(tx: Tx, note: Note): Tx {
  return {
    at: tx.at,
    cluster: recordingTable(tx.cluster, 'cluster', note), node: recordingTable(tx.node, 'node', note), blockedNode: recordingTable(tx.blockedNode, 'blockedNode', note),
    service: recordingTable(tx.service, 'service', note), revision: recordingTable(tx.revision, 'revision', note), task: recordingTable(tx.task, 'task', note), network: recordingTable(tx.network, 'network', note),
  };
}

function recordingTable<K extends Kind>(table: WriteTable<K>, kind: K, note: Note): WriteTable<K> {
  return {
    get: (id) => table.get(id),
    list: () => table.list(),
    by: (index, key) => table.by(index, key),
    get count() { return table.count; },
    create(object: NewObject<K>) {
      const after = table.create(object);
      note({ kind, before: undefined, after });
      return after;
    },
    update(object) {
      const before = table.get(object.id);
      const after = table.update(object);
      note({ kind, before, after });
      return after;
    },
    delete(id) {
      note({ kind, before: table.get(id), after: undefined });
      table.delete(id);
    },
  };
}
