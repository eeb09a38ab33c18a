import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { isOrchError } from '../model/errors.ts';
import { service, task } from '../model/testing.ts';
import type { StoreBackend } from './backend.ts';
import { openStore } from './open-store.ts';
import { openSqliteBackend } from './sqlite-backend.ts';
import { restoreSqlite } from './sqlite-snapshot.ts';
import type { Store } from './store.ts';

const isClosed = (error: unknown): boolean => isOrchError(error, 'ORCH_UNREACHABLE');

let directory = '';
const clock = new FakeClock(5);
const open = (name = 'store.db'): Promise<StoreBackend> => openSqliteBackend({ path: join(directory, name), clock });
const openTyped = async (): Promise<Store> => openStore({ backend: await open(), clock, onFailure: (error) => { throw error; } });

function useDirectory(): void {
  beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'orch-store-')); });
  afterEach(() => rm(directory, { recursive: true }));
}

describe('SQLite backend', function () {
  this.timeout(20_000); // threads start slowly on a busy machine
  useDirectory();

  it('finishes what was asked before it was disposed, and rejects what comes later', async () => {
    const backend = await open();
    const commits = Array.from({ length: 500 }, (_, index) => backend.commit([{ key: `k${index}`, value: '1' }], []));
    const range = backend.range('k');
    await backend[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    assert.ok((await Promise.all(commits)).every(({ ok }) => ok));
    assert.equal((await range).entries.length, 500);
    for (const late of [backend.commit([], []), backend.range(''), backend.compact(1), backend.campaign('l', 'a', 1), backend.snapshot(join(directory, 'x'))]) await assert.rejects(late, isClosed);
    await using again = await open();
    assert.deepEqual((await again.range('k')).entries, (await range).entries);
    assert.equal(again.epoch, backend.epoch);
  });

  it('keeps all its files from other users', async () => {
    await using backend = await open();
    await backend.commit([{ key: 'a', value: '1' }], []);
    await backend.snapshot(join(directory, 'snapshot'));
    await restoreSqlite({ snapshot: join(directory, 'snapshot'), path: join(directory, 'restored.db'), clock });
    const names = (await readdir(directory)).toSorted();
    assert.deepEqual(names, ['restored.db', 'snapshot', 'store.db', 'store.db-shm', 'store.db-wal', 'store.db.lock']);
    for (const name of names) assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600, name);
  });

  it('is used by one opener at a time', async () => {
    const first = await open();
    await assert.rejects(open(), (error) => isOrchError(error, 'ORCH_IN_USE'));
    await first[Symbol.asyncDispose]();
    await using _second = await open();
  });

  it('goes on committing while a snapshot is written, which holds what was committed before', async () => {
    await using backend = await open();
    for (let batch = 0; batch < 20; batch += 1) await backend.commit(Array.from({ length: 500 }, (_, index) => ({ key: `k/${batch}/${index}`, value: 'x'.repeat(300) })), []);
    let isDone = false;
    const snapshot = backend.snapshot(join(directory, 'snapshot')).then(() => { isDone = true; });
    for (let index = 0; !isDone; index += 1) await backend.commit([{ key: `meanwhile/${index}`, value: '1' }], []);
    await snapshot;
    await restoreSqlite({ snapshot: join(directory, 'snapshot'), path: join(directory, 'restored.db'), clock });
    await using restored = await open('restored.db');
    assert.equal((await restored.range('k/')).entries.length, 10_000);
    assert.deepEqual((await readdir(directory)).filter((name) => name.includes('partial')), []);
  });

});

describe('store over SQLite', function () {
  this.timeout(20_000);
  useDirectory();

  it('carries a transaction of 10,000 objects, and all it wrote through a restart', async () => {
    {
      await using store = await openTyped();
      await store.update((tx) => {
        tx.service.create(service({ id: 's1' }));
        for (let slot = 1; slot <= 10_000; slot += 1) tx.task.create(task({ id: `t${slot}`, serviceId: 's1', slot }));
      });
      assert.equal(store.view((view) => view.task.by('service', 's1').length), 10_000);
    }
    await using store = await openTyped();
    assert.equal(store.view((view) => view.task.by('service', 's1').length), 10_000);
    assert.deepEqual(store.view((view) => view.task.get('t7')), task({ id: 't7', serviceId: 's1', slot: 7, createdAtMs: 5, updatedAtMs: 5 }));
    await assert.rejects(store.update((tx) => tx.service.create(service({ id: 's2' }))), (error) => isOrchError(error, 'ORCH_NAME_TAKEN'));
    await store.update((tx) => tx.service.delete('s1'));
    await store.update((tx) => tx.service.create(service({ id: 's2' })));
  });
});
