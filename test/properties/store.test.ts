import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { isOrchError } from '../../model/errors.ts';
import type { Network } from '../../model/network.ts';
import type { Task } from '../../model/task.ts';
import type { StoreBackend } from '../../store/backend.ts';
import { MemoryBackend } from '../../store/memory-backend.ts';
import { openStore } from '../../store/open-store.ts';
import type { ChangeBatch, NewObject, Store, Tx, View } from '../../store/store.ts';
import { distantBackend, sharedBackend } from '../../store/testing.ts';

const ids = ['1', '2', '3', '4', '5'];
const names = ['web', 'db', 'cache'];
const nodes = [undefined, 'n1', 'n2'];

/** One write; what it does to an object that is (not) there is decided when it runs. */
type Write =
  | { readonly type: 'put-network'; readonly id: string; readonly name: string }
  | { readonly type: 'put-task'; readonly id: string; readonly serviceId: string; readonly nodeId: string | undefined }
  | { readonly type: 'delete'; readonly kind: 'task' | 'network'; readonly id: string };

const id = fc.constantFrom(...ids);
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ type: fc.constant('put-network'), id, name: fc.constantFrom(...names) }),
  fc.record({ type: fc.constant('put-task'), id, serviceId: fc.constantFrom('s1', 's2'), nodeId: fc.constantFrom(...nodes) }),
  fc.record({ type: fc.constant('delete'), kind: fc.constantFrom('task', 'network'), id }),
);
/** `writer` picks one of the stores; transactions of one round run at the same time. */
const transaction = fc.record({ writer: fc.nat({ max: 1 }), writes: fc.array(write, { minLength: 1, maxLength: 5 }), fails: fc.nat({ max: 4 }).map((roll) => roll === 0) });
type Transaction = { readonly writer: number; readonly writes: readonly Write[]; readonly fails: boolean };
const history = fc.array(fc.array(transaction, { minLength: 1, maxLength: 3 }), { maxLength: 12 });

const newNetwork = (networkId: string, name: string): NewObject<'network'> =>
  ({ id: networkId, spec: { name, labels: {}, driver: 'overlay', attachable: false, internal: false } });
const newTask = ({ id: taskId, serviceId, nodeId }: Extract<Write, { type: 'put-task' }>): NewObject<'task'> => ({
  id: taskId, serviceId, revisionId: `${serviceId}-r`, slot: 1, desired: 'running', status: { state: 'new', atMs: 0, message: '' }, ...(nodeId === undefined ? {} : { nodeId }),
});

/** Does the write in a transaction of the store. */
function apply(tx: Tx, step: Write): void {
  switch (step.type) {
    case 'delete': tx[step.kind].delete(step.id); break;
    case 'put-network': {
      const stored = tx.network.get(step.id);
      if (stored) tx.network.update({ ...stored, spec: { ...stored.spec, name: step.name } });
      else tx.network.create(newNetwork(step.id, step.name));
      break;
    }
    case 'put-task': {
      const stored = tx.task.get(step.id);
      if (stored) tx.task.update({ ...newTask(step), version: stored.version, createdAtMs: 0, updatedAtMs: 0 });
      else tx.task.create(newTask(step));
      break;
    }
  }
}

type Model = { readonly task: Map<string, Task>; readonly network: Map<string, Network> };

/** Does the same to a plain model; false when a name is taken. */
function applyToModel(model: Model, step: Write): boolean {
  if (step.type === 'delete') {
    model[step.kind].delete(step.id);
    return true;
  }
  const times = (stored: { version: number } | undefined): { version: number; createdAtMs: number; updatedAtMs: number } => ({ version: (stored?.version ?? 0) + 1, createdAtMs: 0, updatedAtMs: 0 });
  if (step.type === 'put-task') model.task.set(step.id, { ...newTask(step), ...times(model.task.get(step.id)) });
  else if ([...model.network.values()].some((other) => other.spec.name === step.name && other.id !== step.id)) return false;
  else model.network.set(step.id, { ...newNetwork(step.id, step.name), ...times(model.network.get(step.id)) });
  return true;
}

function copyOf(model: Model): Model { return { task: new Map(model.task), network: new Map(model.network) }; }

const byId = <T extends { readonly id: string }>(objects: Iterable<T>): T[] => [...objects].toSorted((a, b) => a.id.localeCompare(b.id));

/** Every index answers what a scan of all objects answers. */
function assertIndexes(view: Pick<View, 'task' | 'network'>): void {
  const tasks = byId(view.task.list());
  const networks = byId(view.network.list());
  for (const serviceId of ['s1', 's2', 's3']) {
    assert.deepEqual(byId(view.task.by('service', serviceId)), tasks.filter((task) => task.serviceId === serviceId));
    assert.deepEqual(byId(view.task.by('revision', `${serviceId}-r`)), tasks.filter((task) => task.revisionId === `${serviceId}-r`));
  }
  for (const nodeId of ['n1', 'n2']) assert.deepEqual(byId(view.task.by('node', nodeId)), tasks.filter((task) => task.nodeId === nodeId));
  for (const name of names) assert.deepEqual(byId(view.network.by('name', name)), networks.filter((network) => network.spec.name === name));
  assert.equal(view.task.count, tasks.length);
  assert.equal(view.network.count, networks.length);
  for (const one of ids) assert.equal(view.task.get(one), tasks.find((task) => task.id === one));
}

const assertState = (store: Store, model: Model): void => store.view((view) => {
  assert.deepEqual(byId(view.task.list()), byId(model.task.values()));
  assert.deepEqual(byId(view.network.list()), byId(model.network.values()));
  assertIndexes(view);
});

/** Applies changes to a plain state, checking that each says truly what was there before. */
function replay(state: Model, { changes }: ChangeBatch): void {
  for (const { kind, id: changed, before, after } of changes) {
    assert.ok(kind === 'task' || kind === 'network');
    const table: Map<string, Task | Network> = kind === 'task' ? state.task as Map<string, Task | Network> : state.network as Map<string, Task | Network>;
    assert.deepEqual(table.get(changed), before);
    if (after) table.set(changed, after);
    else table.delete(changed);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

async function openStores(count: number, backend: StoreBackend, clock: FakeClock): Promise<Store[]> {
  const onFailure = (error: Error): never => { throw error; };
  return Promise.all(Array.from({ length: count }, () => openStore({ backend: sharedBackend(backend), clock, onFailure })));
}

/** Runs one transaction; 'taken' when a name was, 'failed' when it threw on purpose. */
async function runTransaction(store: Store, { writes, fails }: Transaction): Promise<'done' | 'taken' | 'failed'> {
  try {
    await store.update((tx) => {
      for (const step of writes) {
        apply(tx, step);
        assertIndexes(tx);
      }
      if (fails) throw new Error('on purpose');
    });
    return 'done';
  } catch (error) {
    if (isOrchError(error, 'ORCH_NAME_TAKEN')) return 'taken';
    if (error instanceof Error && error.message === 'on purpose') return 'failed';
    throw error;
  }
}

describe('store histories', function () {
  this.timeout(20_000);

  it('end as a plain model does, transaction by transaction; indexes equal a scan, inside transactions too', () => fc.assert(fc.asyncProperty(history, async (rounds) => {
    const clock = new FakeClock();
    await using backend = new MemoryBackend(clock);
    const stores = await openStores(1, backend, clock);
    await using store = stores[0];
    let model: Model = { task: new Map(), network: new Map() };
    for (const one of rounds.flat()) {
      const next = copyOf(model);
      const isFree = one.writes.every((step) => applyToModel(next, step));
      assert.equal(await runTransaction(store as Store, one), isFree ? one.fails ? 'failed' : 'done' : 'taken');
      if (isFree && !one.fails) model = next;
      assertState(store as Store, model);
    }
  }), { numRuns: 100 }));

  it('look the same to every manager that writes at the same time, to a watcher, and to one that joins later', () => fc.assert(fc.asyncProperty(history, fc.boolean(), async (rounds, isDistant) => {
    const clock = new FakeClock();
    await using backend = new MemoryBackend(clock);
    const stores = await openStores(2, isDistant ? distantBackend(backend) : backend, clock);
    const replayed: Model = { task: new Map(), network: new Map() };
    const abort = new AbortController();
    const watches = stores.map((store) => store.watch({ signal: abort.signal }));
    const subscribed: Model = { task: new Map(), network: new Map() };
    stores[1]?.subscribe((batch) => replay(subscribed, batch));
    for (const round of rounds) await Promise.all(round.map((one) => runTransaction(stores[one.writer] as Store, one)));
    const { revision } = await backend.range('', { limit: 1 });
    await caughtUp(stores, revision);
    const [late] = await openStores(1, backend, clock);
    stores.push(late as Store);
    const state: Model = (stores[0] as Store).view((view) => ({ task: new Map(byId(view.task.list()).map((task) => [task.id, task])), network: new Map(byId(view.network.list()).map((network) => [network.id, network])) }));
    for (const store of stores) assertState(store, state);
    assert.deepEqual(byId(subscribed.task.values()), byId(state.task.values()));
    await replayUpTo(watches[0] as AsyncIterable<ChangeBatch>, replayed, state);
    assert.deepEqual(byId(replayed.network.values()), byId(state.network.values()));
    assert.equal(new Set([...state.network.values()].map(({ spec }) => spec.name)).size, state.network.size);
    abort.abort();
    for (const store of stores) await store[Symbol.asyncDispose]();
  }), { numRuns: 100 }));
});

/** The mirrors follow by themselves; a few turns of the event loop are enough in memory. */
async function caughtUp(stores: readonly Store[], revision: number): Promise<void> {
  for (let turns = 0; turns < 1000 && stores.some((store) => store.revision.revision < revision); turns += 1) await turn();
  for (const store of stores) assert.equal(store.revision.revision, revision);
}

/** Reads the watch until it has told of everything in `state`, or nothing more comes. */
async function replayUpTo(watch: AsyncIterable<ChangeBatch>, replayed: Model, state: Model): Promise<void> {
  const iterator = watch[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), turn().then(turn).then(() => undefined)]);
    if (!next || next.done) break;
    replay(replayed, next.value);
  }
  assert.deepEqual(byId(replayed.task.values()), byId(state.task.values()));
}
