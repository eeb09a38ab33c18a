import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { tar } from './testing.ts';
import { UnpackPool } from './unpack-pool.ts';

const threads = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; !condition(); attempt += 1) {
    assert.ok(attempt < 500, 'the condition never holds');
    await systemClock.sleep(2);
  }
}

describe('UnpackPool', () => {
  it('has no thread before there is work, and none after some seconds without', async () => {
    const clock = new FakeClock();
    const before = threads();
    await using pool = new UnpackPool({ clock });
    assert.equal(threads(), before);
    const directory = await mkdtemp(join(tmpdir(), 'orch-pool-'));
    await pool.remove(directory);
    assert.ok(threads() > before);
    await clock.advance(4_999);
    assert.ok(threads() > before);
    await clock.advance(1);
    await until(() => threads() === before);
    await pool.remove(directory);
    assert.ok(threads() > before, 'and one again when there is work again');
  });

  it('drops work that is aborted before its turn, and rejects all work when it is closed', async () => {
    const pool = new UnpackPool({ clock: systemClock });
    const directory = await mkdtemp(join(tmpdir(), 'orch-pool-'));
    await writeFile(join(directory, 'archive'), await tar(Array.from({ length: 500 }, (_, index) => ({ name: `f${index}` }))));
    const requests = await Promise.all([1, 2, 3, 4].map(async (index) => {
      const target = join(directory, `layer${index}`);
      await mkdir(target);
      return { archivePath: join(directory, 'archive'), directory: target };
    }));
    const abort = new AbortController();
    const results = requests.map((request, index) => pool.unpack(request, index === 3 ? { signal: abort.signal } : {}));
    const outcome = Promise.allSettled(results);
    abort.abort(new Error('not needed'));
    await pool[Symbol.asyncDispose]();
    const reasons = (await outcome).map((result) => result.status === 'rejected' ? String(result.reason) : 'done');
    assert.equal(reasons[3], 'Error: not needed');
    assert.equal(reasons[2], 'OrchError: The image store is closed');
    assert.deepEqual(await readdir(join(directory, 'layer4')), []);
    await assert.rejects(pool.remove(directory), { code: 'ORCH_RUNTIME', message: 'The image store is closed' });
    await rm(directory, { recursive: true });
  });
});
