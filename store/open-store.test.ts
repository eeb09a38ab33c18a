import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { isOrchError } from '../model/errors.ts';
import type { Network } from '../model/network.ts';
import type { StoreBackend } from './backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { openStore } from './open-store.ts';
import type { ChangeBatch, NewObject, Store, Tx } from './store.ts';
import { distantBackend, openMemoryStore, sharedBackend } from './testing.ts';

const network = (id: string, name: string): NewObject<'network'> =>
  ({ id, spec: { name, labels: {}, driver: 'overlay', attachable: false, internal: false } });

const renamed = (object: Network, name: string): Network => ({ ...object, spec: { ...object.spec, name } });

const rename = (id: string, name: string) => (tx: Tx): void => {
  const object = tx.network.get(id);
  assert.ok(object);
  tx.network.update(renamed(object, name));
};

const code = (expected: string) => (error: unknown): boolean => isOrchError(error) && error.code === expected;

const rethrow = (error: Error): never => { throw error; };

const nameOf = (store: Store, id: string): string | undefined => store.view((view) => view.network.get(id)?.spec.name);

/** Two managers' stores over the same data. */
async function openTwoStores(): Promise<{ a: Store; b: Store } & AsyncDisposable> {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const a = await openStore({ backend: sharedBackend(backend), clock, onFailure: rethrow });
  const b = await openStore({ backend, clock, onFailure: rethrow });
  return { a, b, async [Symbol.asyncDispose]() { await a[Symbol.asyncDispose](); await b[Symbol.asyncDispose](); } };
}

describe('store', () => {
  it('shows what was written, with version 1 and the time of the clock', async () => {
    const clock = new FakeClock(1000);
    await using store = await openMemoryStore(clock);
    const made = await store.update((tx) => tx.network.create(network('n1', 'web')));
    assert.deepEqual(made, { ...network('n1', 'web'), version: 1, createdAtMs: 1000, updatedAtMs: 1000 });
    assert.equal(store.view((view) => view.network.get('n1')), made);
    assert.deepEqual(store.view((view) => view.network.by('name', 'web')), [made]);
  });

  it('counts versions, keeps the time of creation and sets that of the change', async () => {
    const clock = new FakeClock(1000);
    await using store = await openMemoryStore(clock);
    await store.update((tx) => tx.network.create(network('n1', 'web')));
    await clock.advance(500);
    await store.update(rename('n1', 'db'));
    assert.deepEqual(store.view((view) => view.network.get('n1')), { ...network('n1', 'db'), version: 2, createdAtMs: 1000, updatedAtMs: 1500 });
  });

  it('shows a transaction its own writes, in every way of reading', async () => {
    await using store = await openMemoryStore();
    await store.update((tx) => { tx.network.create(network('n1', 'web')); tx.network.create(network('n2', 'db')); });
    await store.update((tx) => {
      tx.network.delete('n1');
      const made = tx.network.create(network('n3', 'web'));
      rename('n2', 'cache')(tx);
      assert.equal(tx.network.get('n1'), undefined);
      assert.equal(tx.network.count, 2);
      assert.deepEqual([...tx.network.list()].map(({ id }) => id).toSorted(), ['n2', 'n3']);
      assert.deepEqual(tx.network.by('name', 'web'), [made]);
      assert.deepEqual(tx.network.by('name', 'db'), []);
      assert.equal(tx.network.by('name', 'cache')[0]?.version, 2);
    });
    assert.deepEqual(store.view((view) => view.network.by('name', 'web')).map(({ id }) => id), ['n3']);
  });

  it('commits nothing when the transaction writes nothing, and nothing when it throws', async () => {
    await using store = await openMemoryStore();
    const before = store.revision;
    assert.equal(await store.update(() => 5), 5);
    await store.update((tx) => { tx.network.create(network('n1', 'web')); tx.network.delete('n1'); });
    await assert.rejects(store.update((tx) => { tx.network.create(network('n2', 'db')); throw new Error('no'); }), /no/);
    assert.deepEqual(store.revision, before);
    assert.equal(store.view((view) => view.network.count), 0);
  });

  it('rejects a stale copy, a missing object and an id that is taken', async () => {
    await using store = await openMemoryStore();
    const made = await store.update((tx) => tx.network.create(network('n1', 'web')));
    await store.update(rename('n1', 'db'));
    await assert.rejects(store.update((tx) => tx.network.update(made)), code('ORCH_CONFLICT'));
    await assert.rejects(store.update((tx) => tx.network.update({ ...made, id: 'n9' })), code('ORCH_NOT_FOUND'));
    await assert.rejects(store.update((tx) => tx.network.create(network('n1', 'new'))), code('ORCH_CONFLICT'));
  });
});

describe('names in the store', () => {
  it('are taken once; the error names kind and name', async () => {
    await using store = await openMemoryStore();
    await store.update((tx) => tx.network.create(network('n1', 'web')));
    await assert.rejects(store.update((tx) => tx.network.create(network('n2', 'web'))), { code: 'ORCH_NAME_TAKEN', message: 'Network "web" already exists' });
    await store.update((tx) => tx.network.create(network('n2', 'db')));
    await assert.rejects(store.update(rename('n2', 'web')), code('ORCH_NAME_TAKEN'));
  });

  it('go to one of two writers who ask at the same time', async () => {
    await using stores = await openTwoStores();
    const results = await Promise.allSettled([
      stores.a.update((tx) => tx.network.create(network('n1', 'web'))),
      stores.b.update((tx) => tx.network.create(network('n2', 'web'))),
    ]);
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected']);
    assert.ok(results[1]?.status === 'rejected' && isOrchError(results[1].reason, 'ORCH_NAME_TAKEN'));
  });

  it('are free again after a rename and after a deletion, also for the same transaction', async () => {
    await using store = await openMemoryStore();
    await store.update((tx) => tx.network.create(network('n1', 'web')));
    await store.update((tx) => { rename('n1', 'old')(tx); tx.network.create(network('n2', 'web')); });
    await store.update((tx) => { tx.network.delete('n2'); rename('n1', 'web')(tx); });
    await store.update((tx) => tx.network.delete('n1'));
    await store.update((tx) => tx.network.create(network('n3', 'web')));
    await store.update((tx) => tx.network.create(network('n4', 'old')));
    assert.equal(nameOf(store, 'n3'), 'web');
  });

  it('may have any characters', async () => {
    await using store = await openMemoryStore();
    await store.update((tx) => tx.network.create(network('n1', 'ä / b')));
    await assert.rejects(store.update((tx) => tx.network.create(network('n2', 'ä / b'))), code('ORCH_NAME_TAKEN'));
  });
});

describe('store with several writers', () => {
  it('repeats a write that lost a race, on the newer state', async () => {
    await using stores = await openTwoStores();
    await stores.a.update((tx) => tx.network.create(network('n1', '')));
    const append = (letter: string) => (tx: Tx): void => rename('n1', `${tx.network.get('n1')?.spec.name}${letter}`)(tx);
    await stores.b.update((tx) => tx.network.create(network('n2', 'x')));
    await Promise.all('abcdefgh'.split('').map((letter, index) => (index % 2 ? stores.a : stores.b).update(append(letter))));
    assert.deepEqual(nameOf(stores.a, 'n1')?.split('').toSorted().join(''), 'abcdefgh');
    assert.equal(stores.a.view((view) => view.network.get('n1')?.version), 9);
  });

  it('lets only the leader write under a fence', async () => {
    await using stores = await openTwoStores();
    const fence = { key: 'leader', holder: 'a' };
    await assert.rejects(stores.a.update((tx) => tx.network.create(network('n1', 'web')), { fence }), code('ORCH_CONFLICT'));
    assert.equal(await stores.a.campaign(fence, 1000), true);
    assert.equal(await stores.b.campaign({ key: 'leader', holder: 'b' }, 1000), false);
    await stores.a.update((tx) => tx.network.create(network('n1', 'web')), { fence });
    await stores.a.resign(fence);
    await assert.rejects(stores.a.update(rename('n1', 'db'), { fence }), code('ORCH_CONFLICT'));
    assert.equal(nameOf(stores.a, 'n1'), 'web');
  });
});

describe('store over a backend that is far away', () => {
  it('shows a write as soon as update has resolved', async () => {
    const clock = new FakeClock();
    await using backend = new MemoryBackend(clock);
    await using store = await openStore({ backend: distantBackend(backend), clock, onFailure: rethrow });
    for (const id of ['n1', 'n2', 'n3']) {
      const made = await store.update((tx) => tx.network.create(network(id, id)));
      assert.equal(store.view((view) => view.network.get(id)), made);
    }
  });

  it('lets many writers of one object all have their turn', async () => {
    const clock = new FakeClock();
    await using backend = new MemoryBackend(clock);
    await using store = await openStore({ backend: distantBackend(backend), clock, onFailure: rethrow });
    await store.update((tx) => tx.network.create(network('n1', 'x')));
    let runs = 0;
    await Promise.all(Array.from({ length: 200 }, () => store.update((tx) => { runs += 1; rename('n1', `${tx.network.get('n1')?.spec.name}x`)(tx); })));
    assert.equal(nameOf(store, 'n1'), 'x'.repeat(201));
    assert.ok(runs <= 400, `${runs} runs for 200 writes`);
  });

  it('reads everything again when the history it needs was compacted, and tells listeners the difference', async () => {
    const clock = new FakeClock();
    await using backend = new MemoryBackend(clock);
    await using writer = await openStore({ backend: sharedBackend(backend), clock, onFailure: rethrow });
    await writer.update((tx) => { for (const id of ['kept', 'changed', 'deleted']) tx.network.create(network(id, id)); });
    const connected = Promise.withResolvers<void>();
    const late: StoreBackend = {
      ...sharedBackend(backend),
      watch: (afterRevision, signal) => (async function* afterBreak() {
        await connected.promise;
        yield* backend.watch(afterRevision, signal);
      })(),
    };
    await using store = await openStore({ backend: late, clock, onFailure: rethrow });
    const seen: string[] = [];
    using _subscription = store.subscribe(({ changes }) => seen.push(...changes.map(({ id, before, after }) => `${id} ${before?.version}>${after?.version}`)));
    await writer.update((tx) => { rename('changed', 'new')(tx); tx.network.delete('deleted'); tx.network.create(network('added', 'added')); });
    await writer.compact(writer.revision.revision);
    connected.resolve();
    await store.update((tx) => tx.network.create(network('last', 'last')));
    assert.deepEqual(seen.toSorted(), ['added undefined>1', 'changed 1>2', 'deleted 1>undefined', 'last undefined>1']);
    assert.deepEqual(store.view((view) => [...view.network.list()]).map(({ id }) => id).toSorted(), ['added', 'changed', 'kept', 'last']);
  });
});

describe('store that cannot go on', () => {
  const foreign = [{ key: 'object/spaceship/1', value: '{"kind":"spaceship","v":1,"object":{"id":"1","version":1}}' }];

  it('does not open over objects of an unknown kind', async () => {
    const backend = new MemoryBackend(new FakeClock());
    await backend.commit(foreign, []);
    await assert.rejects(openStore({ backend, clock: new FakeClock(), onFailure: rethrow }), { code: 'ORCH_UNSUPPORTED', message: /"spaceship"/ });
  });

  it('says so once, and rejects everything from then on', async () => {
    const clock = new FakeClock();
    const backend = new MemoryBackend(clock);
    const failures: Error[] = [];
    await using store = await openStore({ backend, clock, onFailure: (error) => failures.push(error) });
    const watching = store.watch({ signal: new AbortController().signal })[Symbol.asyncIterator]().next();
    await Promise.all([backend.commit(foreign, []), assert.rejects(watching, code('ORCH_UNSUPPORTED'))]);
    await assert.rejects(store.update((tx) => tx.network.create(network('n1', 'web'))), code('ORCH_UNSUPPORTED'));
    assert.deepEqual(failures.map((error) => isOrchError(error) && error.code), ['ORCH_UNSUPPORTED']);
  });

  it('takes a listener that throws for a failure', async () => {
    const clock = new FakeClock();
    const failures: string[] = [];
    await using store = await openStore({ backend: new MemoryBackend(clock), clock, onFailure: (error) => failures.push(error.message) });
    store.subscribe(() => { throw new Error('listener'); });
    await assert.rejects(store.update((tx) => tx.network.create(network('n1', 'web'))), /listener/);
    assert.deepEqual(failures, ['listener']);
  });

  it('rejects after it was disposed', async () => {
    const store = await openMemoryStore();
    await store[Symbol.asyncDispose]();
    await assert.rejects(store.update((tx) => tx.network.create(network('n1', 'web'))), code('ORCH_UNREACHABLE'));
  });
});

describe('changes of the store', () => {
  it('reach subscribers in order, after they are visible and before update resolves', async () => {
    await using store = await openMemoryStore();
    const seen: (string | undefined)[][] = [];
    const subscription = store.subscribe(({ changes }) => {
      for (const change of changes) {
        if (change.kind !== 'network') continue;
        assert.equal(store.view((view) => view.network.get(change.id)), change.after);
        seen.push([change.before?.spec.name, change.after?.spec.name]);
      }
    });
    await store.update((tx) => tx.network.create(network('n1', 'web')));
    await store.update(rename('n1', 'db'));
    await store.update((tx) => tx.network.delete('n1'));
    assert.deepEqual(seen, [[undefined, 'web'], ['web', 'db'], ['db', undefined]]);
    subscription[Symbol.dispose]();
    await store.update((tx) => tx.network.create(network('n2', 'web')));
    assert.equal(seen.length, 3);
  });

  it('are watched from a revision on, without a gap', async () => {
    await using store = await openMemoryStore();
    await store.update((tx) => tx.network.create(network('n1', 'web')));
    const from = store.revision;
    await store.update(rename('n1', 'db'));
    const abort = new AbortController();
    const watch = store.watch({ from, signal: abort.signal });
    await store.update((tx) => tx.network.delete('n1'));
    const batches: ChangeBatch[] = [];
    for await (const batch of watch) {
      batches.push(batch);
      if (batches.length === 2) abort.abort();
    }
    assert.deepEqual(batches.map(({ changes }) => changes.map(({ after }) => after?.version)), [[2], [undefined]]);
  });

  it('end a watch that is of another epoch, compacted, or too slow with the advice to list again', async () => {
    const clock = new FakeClock();
    await using store = await openStore({ backend: new MemoryBackend(clock), clock, historyLimit: 2, onFailure: rethrow });
    const { signal } = new AbortController();
    const next = (from?: Store['revision']) => store.watch({ signal, ...(from ? { from } : {}) })[Symbol.asyncIterator]().next();
    await assert.rejects(next({ epoch: 7, revision: 0 }), code('ORCH_CONFLICT'));
    const slow = store.watch({ signal })[Symbol.asyncIterator]();
    const start = store.revision;
    for (const id of ['n1', 'n2', 'n3']) await store.update((tx) => tx.network.create(network(id, id)));
    await assert.rejects(slow.next(), { code: 'ORCH_CONFLICT', hint: /List again/ });
    const recent = store.revision;
    await store.update((tx) => tx.network.delete('n1'));
    assert.equal((await next(recent)).done, false);
    await store.compact(store.revision.revision);
    await assert.rejects(next(start), code('ORCH_CONFLICT'));
    await assert.rejects(next(recent), code('ORCH_CONFLICT'));
  });
});
