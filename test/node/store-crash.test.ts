import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import { seededRandom, systemRandom } from '../../base/random.ts';
import { openSqliteBackend } from '../../store/sqlite-backend.ts';

const ROUNDS = 24;
const LONGEST_LIFE_MS = 700;

/** What the process said was durable before it died. */
type Acknowledged = {
  /** Last acknowledged value of every key; undefined once its deletion was. */
  readonly values: Map<string, string | undefined>;
  revision: number;
  count: number;
};

/** Runs the writer until it is killed, so long after its first acknowledgement. */
async function runAndKill(path: string, { round, lifeMs }: { round: number; lifeMs: number }, acknowledged: Acknowledged): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'store-crash-child.ts'), path, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<string>((resolve) => { child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)); });
  let killing: Promise<void> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    killing ??= systemClock.sleep(lifeMs).then(() => { child.kill('SIGKILL'); });
    const [revision = '', key = '', value = ''] = line.split(' ');
    acknowledged.values.set(key, value === '-' ? undefined : value);
    acknowledged.revision = Math.max(acknowledged.revision, Number(revision));
    acknowledged.count += 1;
  }
  await killing;
  assert.equal(await exited, 'SIGKILL');
}

/** Opens the store as a restarted manager would. */
async function assertNothingLost(path: string, { values, revision }: Acknowledged, round: number): Promise<void> {
  await using backend = await openSqliteBackend({ path, clock: systemClock });
  const { entries } = await backend.range('');
  const stored = new Map(entries.map(({ key, value }) => [key, value]));
  for (const [key, value] of values) {
    const found = stored.get(key);
    if (key === 'counter') assert.ok(Number(found) >= Number(value), `round ${round}: counter went back from ${value} to ${found}`);
    else if (key.startsWith('keep/')) assert.equal(found, value, `round ${round}: the acknowledged ${key} is lost`);
    else if (value === undefined) assert.equal(found, undefined, `round ${round}: the acknowledged deletion of ${key} is lost`);
  }
  for (const [key, value] of stored) if (!key.startsWith('twin/')) assert.equal(stored.get(`twin/${key}`), value, `round ${round}: half of a commit of ${key}`);
  const result = await backend.commit([{ key: 'after', value: String(round) }, { key: 'twin/after', value: String(round) }], []);
  assert.ok(result.ok && result.revision > revision, `round ${round}: revision ${JSON.stringify(result)} after ${revision}`);
}

function assertIntact(path: string): void {
  using database = new DatabaseSync(path);
  assert.deepEqual(database.prepare('PRAGMA integrity_check', { returnArrays: true }).all().map((row) => row[0]), ['ok']);
}

describe('a SQLite store whose process is killed', () => {
  it(`${ROUNDS} times at random points has lost nothing that was acknowledged, keeps commits whole and revisions growing`, async function () {
    this.timeout(180_000);
    const seed = Math.floor(systemRandom.next() * 2 ** 31);
    const random = seededRandom(seed);
    const directory = await mkdtemp(join(tmpdir(), 'orch-store-crash-'));
    const path = join(directory, 'store.db');
    const acknowledged: Acknowledged = { values: new Map(), revision: 0, count: 0 };
    for (let round = 1; round <= ROUNDS; round += 1) {
      await runAndKill(path, { round, lifeMs: random.next() * LONGEST_LIFE_MS }, acknowledged);
      await assertNothingLost(path, acknowledged, round);
      assertIntact(path);
    }
    console.log(`      ${acknowledged.count} acknowledged commits, revision ${acknowledged.revision}, seed ${seed}`);
    assert.ok(acknowledged.count > 100 * ROUNDS, `only ${acknowledged.count} commits`);
    await rm(directory, { recursive: true });
  });
});
