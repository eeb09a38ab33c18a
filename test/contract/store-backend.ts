import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import type { CommitChanges, Condition, Operation, StoreBackend } from '../../store/backend.ts';

/** One empty backend under test, and what the suite may do around it. */
export type BackendHarness = AsyncDisposable & {
  readonly backend: StoreBackend;
  /** A backend with the contents of a snapshot; disposed by the suite. */
  restore(snapshotPath: string): Promise<StoreBackend>;
  /** Lets at least `durationMs` go by on the backend's clock. */
  pass(durationMs: number): Promise<void>;
};

const put = (key: string, value: string): Operation => ({ key, value });
const remove = (key: string): Operation => ({ key, value: undefined });
const absent = (key: string): Condition => ({ type: 'absent', key });
const unchanged = (key: string, modRevision: number): Condition => ({ type: 'unchanged', key, modRevision });

/** Commits and returns the revision; fails the test when a condition does not hold. */
async function commit(backend: StoreBackend, operations: Operation[], conditions: Condition[] = []): Promise<number> {
  const result = await backend.commit(operations, conditions);
  assert.ok(result.ok, `condition failed: ${JSON.stringify(result)}`);
  return result.revision;
}

const values = async (backend: StoreBackend, prefix = '', options: { atRevision?: number } = {}): Promise<Record<string, string>> =>
  Object.fromEntries((await backend.range(prefix, options)).entries.map(({ key, value }) => [key, value]));

const isConflict = (error: unknown): boolean => isOrchError(error, 'ORCH_CONFLICT');
const isInvalid = (error: unknown): boolean => isOrchError(error, 'ORCH_INVALID');

/** Takes `count` commits from a watch. */
async function take(watch: AsyncIterable<CommitChanges>, count: number): Promise<CommitChanges[]> {
  const taken: CommitChanges[] = [];
  for await (const change of watch) {
    taken.push(change);
    if (taken.length === count) break;
  }
  return taken;
}

const keysOf = (commits: readonly CommitChanges[]): string[][] => commits.map(({ changes }) => changes.map(({ key }) => key));

/** What every backend of the store promises; `open` makes a fresh, empty one. */
export function storeContract(name: string, open: () => Promise<BackendHarness>): void {
  const withBackend = (test: (backend: StoreBackend, harness: BackendHarness) => Promise<void>) => async (): Promise<void> => {
    await using harness = await open();
    await test(harness.backend, harness);
  };
  describe(`${name} backend`, function () {
    this.timeout(20_000); // threads and processes start slowly on a busy machine
    describe('commit', () => commitContract(withBackend));
    describe('range', () => rangeContract(withBackend));
    describe('watch', () => watchContract(withBackend));
    describe('compaction', () => compactionContract(withBackend));
    describe('leadership', () => leadershipContract(withBackend));
    describe('snapshot', () => snapshotContract(withBackend));
  });
}

type WithBackend = (test: (backend: StoreBackend, harness: BackendHarness) => Promise<void>) => () => Promise<void>;

function commitContract(withBackend: WithBackend): void {
  it('rejects a stale version and leaves everything as it was', withBackend(async (backend) => {
    const first = await commit(backend, [put('a', '1')]);
    const second = await commit(backend, [put('a', '2')], [unchanged('a', first)]);
    const stale = unchanged('a', first);
    assert.deepEqual(await backend.commit([put('a', '3'), put('b', '3')], [stale]), { ok: false, failed: stale });
    const { revision, entries } = await backend.range('');
    assert.deepEqual(entries, [{ key: 'a', value: '2', modRevision: second }]);
    assert.equal(revision, second);
  }));

  it('applies all operations at one revision', withBackend(async (backend) => {
    await commit(backend, [put('a', '1'), put('b', '1'), put('c', '1')]);
    const revision = await commit(backend, [put('a', '2'), remove('b'), put('d', '2')]);
    const { entries } = await backend.range('');
    assert.deepEqual(entries.map(({ key, value }) => `${key}=${value}`), ['a=2', 'c=1', 'd=2']);
    assert.deepEqual(entries.map(({ modRevision }) => modRevision === revision), [true, false, true]);
  }));

  it('makes revisions grow by every commit that changes something', withBackend(async (backend) => {
    const first = await commit(backend, [put('a', '1')]);
    const second = await commit(backend, [put('a', '1')]);
    const third = await commit(backend, [remove('a')]);
    assert.ok(first < second && second < third, `${first} ${second} ${third}`);
  }));

  it('changes nothing without operations, and with deletions of absent keys only', withBackend(async (backend) => {
    const revision = await commit(backend, [put('a', '1')]);
    assert.equal(await commit(backend, []), revision);
    assert.equal(await commit(backend, [remove('x'), remove('y')]), revision);
    assert.equal((await backend.range('')).revision, revision);
  }));

  it('checks that a key is absent', withBackend(async (backend) => {
    await commit(backend, [put('a', '1')], [absent('a')]);
    assert.deepEqual(await backend.commit([put('a', '2')], [absent('b'), absent('a')]), { ok: false, failed: absent('a') });
    await commit(backend, [remove('a')]);
    await commit(backend, [put('a', '3')], [absent('a')]);
  }));

  it('checks that a key has a value, which an absent one never has', withBackend(async (backend) => {
    await commit(backend, [put('a', 'x')]);
    await commit(backend, [put('b', '1')], [{ type: 'equals', key: 'a', value: 'x' }]);
    assert.equal((await backend.commit([put('b', '2')], [{ type: 'equals', key: 'a', value: 'y' }])).ok, false);
    assert.equal((await backend.commit([put('b', '2')], [{ type: 'equals', key: 'c', value: 'x' }])).ok, false);
    assert.equal((await backend.commit([put('b', '2')], [unchanged('c', 1)])).ok, false);
    assert.deepEqual(await values(backend), { a: 'x', b: '1' });
  }));

  it('lets one of several commits with the same condition win, made at the same time', withBackend(async (backend) => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => backend.commit([put('name', String(index)), put(`own/${index}`, '1')], [absent('name')])));
    assert.equal(results.filter(({ ok }) => ok).length, 1);
    const winner = results.findIndex(({ ok }) => ok);
    assert.deepEqual(await values(backend), { name: String(winner), [`own/${winner}`]: '1' });
  }));

  it('does not let a refused commit fail its neighbours', withBackend(async (backend) => {
    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => backend.commit([put(`k${index}`, '1')], index % 2 ? [unchanged('x', 1)] : [])));
    assert.deepEqual(results.map(({ ok }) => ok), results.map((_, index) => index % 2 === 0));
    assert.equal((await backend.range('k')).entries.length, 25);
  }));

  it('rejects a key twice, a key that is not printable ASCII and text that is not well formed', withBackend(async (backend) => {
    await assert.rejects(backend.commit([put('a', '1'), remove('a')], []), isInvalid);
    await assert.rejects(backend.commit([put('ä', '1')], []), isInvalid);
    await assert.rejects(backend.commit([put('a b', '1')], []), isInvalid);
    await assert.rejects(backend.commit([put('', '1')], []), isInvalid);
    await assert.rejects(backend.commit([put('a', 'x\0y')], []), isInvalid);
    await assert.rejects(backend.commit([put('a', '\ud800')], []), isInvalid);
    assert.deepEqual(await values(backend), {});
  }));

  it('keeps text of any script and an empty text', withBackend(async (backend) => {
    const text = 'ä€😀\n\t"\\\u0001';
    await commit(backend, [put('a', text), put('b', '')]);
    assert.deepEqual(await values(backend), { a: text, b: '' });
  }));
}

function rangeContract(withBackend: WithBackend): void {
  it('reads keys with the prefix in key order', withBackend(async (backend) => {
    await commit(backend, ['a/2', 'a/10', 'a/1', 'a', 'b/1', 'a0', 'a/~', 'A/1'].map((key) => put(key, key)));
    assert.deepEqual((await backend.range('a/')).entries.map(({ key }) => key), ['a/1', 'a/10', 'a/2', 'a/~']);
    assert.equal((await backend.range('')).entries.length, 8);
    assert.deepEqual((await backend.range('c')).entries, []);
  }));

  it('pages through one revision while others write', withBackend(async (backend) => {
    const keys = Array.from({ length: 25 }, (_, index) => `k/${String(index).padStart(2, '0')}`);
    await commit(backend, keys.map((key) => put(key, 'old')));
    const first = await backend.range('k/', { limit: 10 });
    await commit(backend, [put('k/105', 'new'), remove('k/12'), put('k/20', 'new')]);
    await commit(backend, [put('k/20', 'newer'), put('k/12', 'again'), remove('k/24'), put('j', 'x')]);
    const second = await backend.range('k/', { limit: 10, atRevision: first.revision, afterKey: first.entries.at(-1)?.key ?? '' });
    const third = await backend.range('k/', { limit: 10, atRevision: first.revision, afterKey: second.entries.at(-1)?.key ?? '' });
    const pages = [first, second, third];
    assert.deepEqual(pages.map(({ entries }) => entries.length), [10, 10, 5]);
    assert.deepEqual(pages.flatMap(({ entries }) => entries), keys.map((key) => ({ key, value: 'old', modRevision: first.revision })));
    assert.deepEqual(pages.map(({ revision }) => revision), [first.revision, first.revision, first.revision]);
  }));

  it('starts after a key that does not exist, and after one before the prefix', withBackend(async (backend) => {
    await commit(backend, ['k/a', 'k/c', 'k/ca'].map((key) => put(key, '1')));
    const after = async (afterKey: string): Promise<string[]> => (await backend.range('k/', { afterKey })).entries.map(({ key }) => key);
    assert.deepEqual(await after('k/b'), ['k/c', 'k/ca']);
    assert.deepEqual(await after('k/c'), ['k/ca']);
    assert.deepEqual(await after('a'), ['k/a', 'k/c', 'k/ca']);
    assert.deepEqual(await after('z'), []);
  }));

  it('reads every revision that there has been', withBackend(async (backend) => {
    const seen: { revision: number; state: Record<string, string> }[] = [{ revision: (await backend.range('')).revision, state: {} }];
    for (const operations of [[put('a', '1'), put('b', '1')], [remove('a')], [put('a', '2')], [put('a', '3'), remove('b')], [put('c', '1')]]) {
      const revision = await commit(backend, operations);
      seen.push({ revision, state: await values(backend) });
    }
    for (const { revision, state } of seen) assert.deepEqual(await values(backend, '', { atRevision: revision }), state);
    await assert.rejects(backend.range('', { atRevision: (seen.at(-1)?.revision ?? 0) + 1 }), isInvalid);
  }));
}

function watchContract(withBackend: WithBackend): void {
  it('sees a change made before the first next()', withBackend(async (backend) => {
    const abort = new AbortController();
    const { revision } = await backend.range('');
    const watch = backend.watch(revision, abort.signal);
    const committed = await commit(backend, [put('a', '1')]);
    assert.deepEqual(await take(watch, 1), [{ revision: committed, changes: [{ key: 'a', value: '1', revision: committed }] }]);
    abort.abort();
  }));

  it('replays from an old revision and goes on live, in the order of revisions', withBackend(async (backend) => {
    const first = await commit(backend, [put('a', '1')]);
    await commit(backend, [put('b', '1'), put('c', '1')]);
    await commit(backend, [remove('b')]);
    const abort = new AbortController();
    const watch = backend.watch(first, abort.signal);
    const taking = take(watch, 3);
    await commit(backend, [put('d', '1')]);
    const taken = await taking;
    assert.deepEqual(keysOf(taken), [['b', 'c'], ['b'], ['d']]);
    assert.equal(taken[1]?.changes[0]?.value, undefined);
    abort.abort();
  }));

  it('misses nothing and repeats nothing while many write at the same time', withBackend(async (backend) => {
    const abort = new AbortController();
    const { revision: start } = await backend.range('');
    const early = take(backend.watch(start, abort.signal), 400);
    const commits = Array.from({ length: 400 }, (_, index) => commit(backend, [put(`k${index % 17}`, String(index))]));
    const late = commits[200]?.then((revision) => take(backend.watch(start, abort.signal), 400).then((taken) => ({ revision, taken })));
    const revisions = await Promise.all(commits);
    const expected = revisions.toSorted((a, b) => a - b);
    assert.deepEqual((await early).map(({ revision }) => revision), expected);
    assert.deepEqual((await late)?.taken.map(({ revision }) => revision), expected);
    const valueAt = new Map(revisions.map((revision, index) => [revision, String(index)]));
    for (const { revision, changes } of await early) assert.equal(changes[0]?.value, valueAt.get(revision));
    abort.abort();
  }));

  it('says nothing of refused commits and of deletions of absent keys', withBackend(async (backend) => {
    const abort = new AbortController();
    const watch = backend.watch((await backend.range('')).revision, abort.signal);
    await backend.commit([put('a', '1')], [unchanged('a', 1)]);
    await commit(backend, [remove('x')]);
    await commit(backend, [remove('x'), put('b', '1'), remove('y'), put('c', '1')]);
    assert.deepEqual(keysOf(await take(watch, 1)), [['b', 'c']]);
    abort.abort();
  }));

  it('does not let a watcher that rests grow without bounds or lose anything', withBackend(async (backend) => {
    const abort = new AbortController();
    const { revision: start } = await backend.range('');
    const watch = backend.watch(start, abort.signal);
    const revisions: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      revisions.push(...await Promise.all(Array.from({ length: 1000 }, (_, index) => commit(backend, [put(`k${index}`, String(round))]))));
    }
    assert.deepEqual((await take(watch, revisions.length)).map(({ revision }) => revision), revisions.toSorted((a, b) => a - b));
    abort.abort();
  }));

  it('ends when aborted: waiting, busy, and before it began', withBackend(async (backend) => {
    const { revision } = await backend.range('');
    const waiting = new AbortController();
    const ended = take(backend.watch(revision, waiting.signal), 1);
    waiting.abort();
    assert.deepEqual(await ended, []);
    assert.deepEqual(await take(backend.watch(revision, waiting.signal), 1), []);
    const busy = new AbortController();
    await commit(backend, [put('a', '1')]);
    await commit(backend, [put('a', '2')]);
    const seen: number[] = [];
    for await (const change of backend.watch(revision, busy.signal)) {
      seen.push(change.revision);
      busy.abort();
    }
    assert.equal(seen.length, 1);
  }));
}

function compactionContract(withBackend: WithBackend): void {
  it('keeps current values and later history, and refuses what it forgot', withBackend(async (backend) => {
    const first = await commit(backend, [put('a', '1'), put('b', '1'), put('c', '1')]);
    const second = await commit(backend, [put('a', '2'), remove('b')]);
    const third = await commit(backend, [put('a', '3'), put('b', '3')]);
    await backend.compact(second);
    const { signal } = new AbortController();
    await assert.rejects(take(backend.watch(first, signal), 1), isConflict);
    await assert.rejects(backend.range('', { atRevision: first }), isConflict);
    assert.deepEqual(keysOf(await take(backend.watch(second, signal), 1)), [['a', 'b']]);
    assert.deepEqual(await values(backend, '', { atRevision: second }), { a: '2', c: '1' });
    assert.deepEqual(await values(backend, '', { atRevision: third }), { a: '3', b: '3', c: '1' });
    await backend.compact(third);
    assert.deepEqual(await values(backend), { a: '3', b: '3', c: '1' });
    assert.deepEqual(await values(backend, '', { atRevision: third }), { a: '3', b: '3', c: '1' });
    await assert.rejects(backend.range('', { atRevision: second }), isConflict);
  }));

  it('does not touch conditions and revisions, and may be repeated', withBackend(async (backend) => {
    const first = await commit(backend, [put('a', '1'), put('b', '1')]);
    const last = await commit(backend, [remove('b')]);
    await backend.compact(last);
    await backend.compact(first);
    await backend.compact(last);
    await commit(backend, [put('a', '2')], [unchanged('a', first), absent('b')]);
    assert.deepEqual(await values(backend), { a: '2' });
    await assert.rejects(backend.compact(last + 100), isInvalid);
  }));

  it('lets commits and live watches go on', withBackend(async (backend) => {
    for (let round = 0; round < 5; round += 1) await commit(backend, Array.from({ length: 1000 }, (_, index) => put(`k${index}`, String(round))));
    const { revision } = await backend.range('', { limit: 1 });
    const abort = new AbortController();
    const watch = backend.watch(revision, abort.signal);
    const [, ...revisions] = await Promise.all([backend.compact(revision), ...Array.from({ length: 20 }, (_, index) => commit(backend, [put(`n${index}`, '1')]))]);
    assert.deepEqual((await take(watch, 20)).map((change) => change.revision), revisions);
    assert.equal((await backend.range('')).entries.length, 1020);
    abort.abort();
  }));
}

function leadershipContract(withBackend: WithBackend): void {
  const TTL_MS = 2000;
  const held = (holder: string): Condition => ({ type: 'equals', key: 'leader', value: holder });

  it('goes to the first who asks, who may ask again', withBackend(async (backend) => {
    assert.deepEqual(await Promise.all(['a', 'b', 'a'].map((holder) => backend.campaign('leader', holder, TTL_MS))), [true, false, true]);
    assert.equal((await backend.commit([put('x', '1')], [held('a')])).ok, true);
    assert.equal((await backend.commit([put('x', '2')], [held('b')])).ok, false);
    assert.equal(await backend.campaign('other', 'b', TTL_MS), true);
  }));

  it('is given up only by its holder', withBackend(async (backend) => {
    await backend.campaign('leader', 'a', TTL_MS);
    await backend.resign('leader', 'b');
    assert.equal(await backend.campaign('leader', 'b', TTL_MS), false);
    await backend.resign('leader', 'a');
    assert.equal((await backend.commit([put('x', '1')], [held('a')])).ok, false);
    assert.equal(await backend.campaign('leader', 'b', TTL_MS), true);
  }));

  it('is lost when its time runs out, for conditions, readers and rivals', withBackend(async (backend, harness) => {
    await backend.campaign('leader', 'a', TTL_MS);
    assert.deepEqual(await values(backend, 'leader'), { leader: 'a' });
    await harness.pass(2 * TTL_MS);
    assert.equal((await backend.commit([put('x', '1')], [held('a')])).ok, false);
    assert.deepEqual(await values(backend, 'leader'), {});
    assert.equal(await backend.campaign('leader', 'b', TTL_MS), true);
    assert.equal(await backend.campaign('leader', 'a', TTL_MS), false);
  }));

  it('is kept by asking again in time', withBackend(async (backend, harness) => {
    await backend.campaign('leader', 'a', TTL_MS);
    for (let round = 0; round < 4; round += 1) {
      await harness.pass(TTL_MS / 2);
      assert.equal(await backend.campaign('leader', 'a', TTL_MS), true);
    }
    assert.equal(await backend.campaign('leader', 'b', TTL_MS), false);
  }));

  it('shows to watchers when it changes hands', withBackend(async (backend) => {
    const abort = new AbortController();
    const watch = backend.watch((await backend.range('')).revision, abort.signal);
    await backend.campaign('leader', 'a', TTL_MS);
    await backend.campaign('leader', 'a', TTL_MS);
    await backend.resign('leader', 'a');
    await backend.campaign('leader', 'b', TTL_MS);
    assert.deepEqual((await take(watch, 3)).map(({ changes }) => changes[0]?.value), ['a', undefined, 'b']);
    abort.abort();
  }));
}

function snapshotContract(withBackend: WithBackend): void {
  const withDirectory = (test: (directory: string, backend: StoreBackend, harness: BackendHarness) => Promise<void>): (() => Promise<void>) =>
    withBackend(async (backend, harness) => {
      const directory = await mkdtemp(join(tmpdir(), 'orch-store-'));
      try {
        await test(directory, backend, harness);
      } finally {
        await rm(directory, { recursive: true });
      }
    });

  it('holds everything committed before it, and starts a new epoch when restored', withDirectory(async (directory, backend, harness) => {
    const first = await commit(backend, Array.from({ length: 300 }, (_, index) => put(`k${index}`, 'x'.repeat(300))));
    await commit(backend, [remove('k7'), put('k8', 'y')]);
    const before = await backend.range('');
    const path = join(directory, 'snapshot');
    await backend.snapshot(path);
    await commit(backend, [put('k8', 'later')]);
    await using restored = await harness.restore(path);
    assert.deepEqual((await restored.range('')).entries, before.entries);
    assert.ok(restored.epoch > backend.epoch, `epoch ${restored.epoch} after ${backend.epoch}`);
    await commit(restored, [put('k8', 'z')], [unchanged('k9', first)]);
    assert.equal((await values(restored, 'k8'))['k8'], 'z');
  }));

  it('does not overwrite a file, and leaves nothing half done', withDirectory(async (directory, backend, harness) => {
    await commit(backend, [put('a', '1')]);
    const path = join(directory, 'snapshot');
    await backend.snapshot(path);
    await assert.rejects(backend.snapshot(path), isConflict);
    await assert.rejects(harness.restore(join(directory, 'missing')), (error) => isOrchError(error, 'ORCH_NOT_FOUND'));
  }));

  it('does not keep a leader in office for ever', withDirectory(async (directory, backend, harness) => {
    await backend.campaign('leader', 'a', 1000);
    await backend.snapshot(join(directory, 'snapshot'));
    await using restored = await harness.restore(join(directory, 'snapshot'));
    await harness.pass(2000);
    assert.equal(await restored.campaign('leader', 'b', 1000), true);
  }));
}
