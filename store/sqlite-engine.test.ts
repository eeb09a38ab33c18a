import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import type { Operation } from './backend.ts';
import { type CommitOutcome, type EngineOptions, SqliteEngine } from './sqlite-engine.ts';

const put = (key: string, value = 'x'): Operation => ({ key, value });
const remove = (key: string): Operation => ({ key, value: undefined });
const everything = { prefix: '', atRevision: undefined, limit: undefined, afterKey: undefined };

let directory = '';
const open = (options: Partial<EngineOptions> = {}): SqliteEngine => new SqliteEngine({ path: join(directory, 'store.db'), ...options }, 0);
const commit = (engine: SqliteEngine, ...operations: Operation[]): CommitOutcome | undefined => engine.commitGroup([{ operations, conditions: [] }])[0];
const keysOf = (engine: SqliteEngine): string[] => engine.range(everything).entries.map(({ key }) => key);

function compact(engine: SqliteEngine): void {
  engine.startCompaction(engine.bounds.revision);
  while (engine.compactStep());
}

/** Rows of the table of versions. */
function versionCount(): unknown {
  using database = new DatabaseSync(join(directory, 'store.db'), { readOnly: true });
  return database.prepare('SELECT count(*) FROM data', { returnArrays: true }).get()?.[0];
}

function useDirectory(): void {
  beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'orch-store-')); });
  afterEach(() => rmSync(directory, { recursive: true }));
}

describe('compaction of the SQLite engine', () => {
  useDirectory();

  it('keeps deleted keys deleted and revisions growing through compaction and restart', () => {
    {
      using engine = open({ recentHeads: 2 });
      commit(engine, put('a'), put('b')); // enough to move these heads to their table
      commit(engine, remove('a'));
      compact(engine);
    }
    using engine = open({ recentHeads: 2 });
    assert.deepEqual(engine.bounds, { revision: 2, compacted: 2 });
    assert.deepEqual(keysOf(engine), ['b']);
    assert.deepEqual(engine.commitGroup([{ operations: [put('a')], conditions: [{ type: 'absent', key: 'a' }] }]), [{ type: 'committed', revision: 3, idle: [] }]);
  });

  it('gives the space of what nobody can read any more back', () => {
    using engine = open();
    for (let round = 0; round < 10; round += 1) commit(engine, ...Array.from({ length: 1000 }, (_, index) => put(`k${index}`, String(round))));
    commit(engine, remove('k0'), remove('k1'));
    assert.equal(versionCount(), 10_002);
    compact(engine);
    assert.equal(versionCount(), 998);
    assert.equal(keysOf(engine).length, 998);
  });

  it('goes on with a compaction that a restart interrupted', () => {
    {
      using engine = open();
      for (let round = 0; round < 10; round += 1) commit(engine, ...Array.from({ length: 1000 }, (_, index) => put(`k${index}`, String(round))));
      engine.startCompaction(10);
      engine.compactStep();
    }
    using engine = open();
    assert.throws(() => engine.replay({ after: 9, upTo: 10 }), { code: 'ORCH_CONFLICT' });
    compact(engine);
    assert.equal(versionCount(), 1000);
  });

});

describe('SQLite engine in trouble', () => {
  useDirectory();

  it('refuses only the commits for which there is no room, loses none before and takes new ones once there is room again', () => {
    using engine = open({ maxBytes: 400 * 1024, recentHeads: 10 });
    const accepted: string[] = [];
    const large = 'x'.repeat(20_000);
    for (let index = 0; index < 100; index += 1) {
      const outcomes = engine.commitGroup([put(`small/${index}`), put(`large/${index}`, large)].map((operation) => ({ operations: [operation], conditions: [] })));
      outcomes.forEach((outcome, position) => {
        if (outcome.type === 'committed') accepted.push(`${position === 0 ? 'small' : 'large'}/${index}`);
        else assert.ok(outcome.type === 'failed' && isOrchError(outcome.error, 'ORCH_NO_SPACE'), JSON.stringify(outcome));
      });
    }
    const largeCount = accepted.filter((key) => key.startsWith('large')).length;
    assert.ok(largeCount > 0 && largeCount + 10 < accepted.length - largeCount, `${largeCount} large ones of ${accepted.length} accepted`);
    assert.deepEqual(keysOf(engine), accepted.toSorted());
    assert.equal(engine.bounds.revision, accepted.length);
    assert.equal(commit(engine, ...accepted.filter((key) => key.startsWith('large')).map(remove))?.type, 'committed');
    compact(engine);
    assert.equal(commit(engine, put('after', large))?.type, 'committed');
  });

  it('opens a file once, also for another process\'s sake', () => {
    using _engine = open();
    assert.throws(() => open(), { code: 'ORCH_IN_USE', message: /store\.db is in use/ });
  });

  it('refuses a file that is no database, and one that a newer program wrote', () => {
    writeFileSync(join(directory, 'store.db'), 'not a database, but long enough to be taken for one at first sight'.repeat(100));
    assert.throws(() => open(), { code: 'ORCH_CORRUPT' });
    rmSync(join(directory, 'store.db'));
    open()[Symbol.dispose]();
    {
      using database = new DatabaseSync(join(directory, 'store.db'));
      database.exec('UPDATE meta SET value = 2 WHERE name = \'schema\'');
    }
    assert.throws(() => open(), { code: 'ORCH_UNSUPPORTED', message: /schema version 2/ });
  });
});
