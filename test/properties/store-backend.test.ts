import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { isOrchError } from '../../model/errors.ts';
import type { CommitChanges, Condition, Operation } from '../../store/backend.ts';
import { checkCommit } from '../../store/commit-check.ts';
import { MemoryBackend } from '../../store/memory-backend.ts';
import { type CommitRequest, SqliteEngine } from '../../store/sqlite-engine.ts';

/** Few keys, so that histories meet themselves again and again; some are prefixes of others. */
const keys = ['a', 'a/1', 'a/12', 'a/2', 'b', 'b/1', 'c'];
const key = fc.constantFrom(...keys);
/** Revisions and the like are counted back from the newest, as only those mean something in any history. */
const age = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 8 }) });
const operation: fc.Arbitrary<Operation> = fc.record({ key, value: fc.option(fc.string({ maxLength: 5, unit: fc.constantFrom('x', 'ä', '😀', '"') }), { nil: undefined, freq: 1 }) });
type DraftCondition = { readonly type: Condition['type']; readonly key: string; readonly age: number; readonly value: string };
const condition: fc.Arbitrary<DraftCondition> = fc.record({ type: fc.constantFrom('absent', 'unchanged', 'equals'), key, age, value: fc.constantFrom('', 'x', 'p') });
const request = fc.record({
  operations: fc.uniqueArray(operation, { maxLength: 4, selector: (one) => one.key }),
  conditions: fc.array(condition, { maxLength: 1 }),
});
type DraftRequest = { readonly operations: readonly Operation[]; readonly conditions: readonly DraftCondition[] };

type Command =
  | { readonly type: 'commit'; readonly requests: readonly DraftRequest[] }
  | { readonly type: 'range'; readonly prefix: string; readonly age: number; readonly limit: number | undefined; readonly afterKey: string | undefined }
  | { readonly type: 'replay'; readonly age: number }
  | { readonly type: 'compact'; readonly age: number; readonly isInterrupted: boolean }
  | { readonly type: 'campaign' | 'resign'; readonly key: string; readonly holder: string }
  | { readonly type: 'pass'; readonly durationMs: number }
  | { readonly type: 'reopen' };

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('commit'), requests: fc.array(request, { minLength: 1, maxLength: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('range'), prefix: fc.constantFrom('', 'a', 'a/', 'b', 'z'), age, limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }), afterKey: fc.option(key, { nil: undefined }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('replay'), age }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact'), age, isInterrupted: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('campaign', 'resign'), key, holder: fc.constantFrom('p', 'q') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pass'), durationMs: fc.constantFrom(400, 1000) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen') }) },
);

const TTL_MS = 1000;

/** The SQLite engine beside the memory backend, which is simple enough to be the model. Times are the fake clock's. */
class Pair {
  readonly clock = new FakeClock();
  readonly model = new MemoryBackend(this.clock);
  readonly #options: { path: string; recentHeads: number };
  #engine: SqliteEngine;
  #revision = 0;
  readonly #leases = new Map<string, string>();

  constructor(path: string, recentHeads: number) {
    this.#options = { path, recentHeads };
    this.#engine = new SqliteEngine(this.#options, 0);
  }

  close(): void { this.#engine[Symbol.dispose](); }

  async run(step: Command): Promise<void> {
    this.#engine.expireLeases(this.clock.monotonic());
    switch (step.type) {
      case 'commit': return this.#commit(step.requests.map(({ operations, conditions }) => ({ operations, conditions: conditions.map((draft) => this.#condition(draft)) })));
      case 'range': return this.#range(step);
      case 'replay': return this.#replay(this.#revisionOf(step.age));
      case 'compact': return this.#compact(step);
      case 'pass': return this.clock.advance(step.durationMs);
      case 'reopen': return this.#reopen();
      case 'campaign':
        assert.equal(this.#engine.campaign({ ...step, ttlMs: TTL_MS }, this.clock.monotonic()).held, await this.model.campaign(step.key, step.holder, TTL_MS));
        this.#leases.set(step.key, step.holder);
        break;
      case 'resign':
        this.#engine.resign(step);
        await this.model.resign(step.key, step.holder);
        break;
    }
  }

  /** Current state, as readers and as conditions see it, and all history there is. */
  async assertEqual(): Promise<void> {
    this.#engine.expireLeases(this.clock.monotonic());
    await this.#commit(keys.map((probed) => ({ operations: [], conditions: [{ type: 'absent', key: probed }] })));
    await this.#range({ prefix: '', age: 0, limit: undefined, afterKey: undefined });
    await this.#replay(this.#engine.bounds.compacted);
  }

  async #commit(requests: readonly CommitRequest[]): Promise<void> {
    for (const { operations, conditions } of requests) checkCommit(operations, conditions);
    const expected = [];
    for (const { operations, conditions } of requests) expected.push(await this.model.commit(operations, conditions));
    const actual = this.#engine.commitGroup(requests).map((outcome, index) => {
      if (outcome.type === 'committed') return { ok: true, revision: outcome.revision };
      return outcome.type === 'refused' ? { ok: false, failed: requests[index]?.conditions[outcome.condition] } : outcome;
    });
    assert.deepEqual(actual, expected);
  }

  async #range({ prefix, age: back, limit, afterKey }: Omit<Extract<Command, { type: 'range' }>, 'type'>): Promise<void> {
    const atRevision = back === 0 ? undefined : this.#revisionOf(back);
    const options = { ...(atRevision === undefined ? {} : { atRevision }), ...(limit === undefined ? {} : { limit }), ...(afterKey === undefined ? {} : { afterKey }) };
    const expected = await outcomeOf(() => this.model.range(prefix, options));
    const actual = await outcomeOf(() => this.#engine.range({ prefix, atRevision, limit, afterKey }));
    assert.deepEqual(actual, expected);
    if (typeof actual !== 'string') this.#revision = Math.max(this.#revision, actual.revision);
  }

  async #replay(from: number): Promise<void> {
    const { revision } = await this.model.range('', { limit: 1 });
    if (from > revision) return;
    const expected = await outcomeOf(() => takeUntil(this.model, from, revision));
    const actual = await outcomeOf(() => replayAll(this.#engine, from, revision));
    assert.deepEqual(actual, expected);
  }

  async #compact({ age: back, isInterrupted }: Extract<Command, { type: 'compact' }>): Promise<void> {
    const revision = this.#revisionOf(back);
    await this.model.compact(revision);
    this.#engine.startCompaction(revision);
    while (!isInterrupted && this.#engine.compactStep());
  }

  /** A crash or restart: leadership keys run for their full time once more, which the model learns by campaigning. */
  async #reopen(): Promise<void> {
    this.#engine[Symbol.dispose]();
    this.#engine = new SqliteEngine(this.#options, this.clock.monotonic());
    for (const [leased, holder] of this.#leases) {
      const { entries } = await this.model.range(leased, { limit: 1 });
      if (entries[0]?.key === leased && entries[0].value === holder) await this.model.campaign(leased, holder, TTL_MS);
    }
  }

  #condition({ type, key: of, age: back, value }: DraftCondition): Condition {
    if (type === 'unchanged') return { type, key: of, modRevision: this.#revisionOf(back) };
    return type === 'equals' ? { type, key: of, value } : { type, key: of };
  }

  #revisionOf(back: number): number { return Math.max(0, this.#engine.bounds.revision - back); }
}

/** A result, or the code of the error instead. */
async function outcomeOf<T>(work: () => T | Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!isOrchError(error)) throw error;
    return error.code;
  }
}

async function takeUntil(backend: MemoryBackend, from: number, revision: number): Promise<CommitChanges[]> {
  const taken: CommitChanges[] = [];
  if (from === revision) return taken;
  for await (const commit of backend.watch(from, new AbortController().signal)) {
    taken.push(commit);
    if (commit.revision === revision) break;
  }
  return taken;
}

function replayAll(engine: SqliteEngine, from: number, upTo: number): CommitChanges[] {
  const taken: CommitChanges[] = [];
  for (let position = from; position < upTo;) {
    const page = engine.replay({ after: position, upTo });
    taken.push(...page);
    position = page.at(-1)?.revision ?? upTo;
  }
  return taken;
}

describe('SQLite engine', () => {
  let directory = '';
  before(() => { directory = mkdtempSync(join(tmpdir(), 'orch-store-')); });
  after(() => rmSync(directory, { recursive: true }));

  it('answers any history of commits, reads, compactions, leases and restarts as the memory backend does', async function () {
    this.timeout(20_000);
    let runs = 0;
    await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), fc.constantFrom(1, 3, 1000), async (commands, recentHeads) => {
      const pair = new Pair(join(directory, `${runs += 1}.db`), recentHeads);
      try {
        for (const step of commands) await pair.run(step);
        await pair.assertEqual();
        await pair.run({ type: 'reopen' });
        await pair.assertEqual();
      } finally {
        pair.close();
      }
    }), { numRuns: 40 });
  });
});
