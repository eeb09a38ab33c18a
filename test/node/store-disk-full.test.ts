import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { isOrchError } from '../../model/errors.ts';
import { openSqliteBackend } from '../../store/sqlite-backend.ts';
import { skipTest } from '../support/skip.ts';

/** A file system of 4 MiB of its own. */
function mountSmallDisk(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'orch-store-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'orch-store-full', path]);
  return { path, [Symbol.dispose]() { execFileSync('umount', [path]); rmdirSync(path); } };
}

describe('a SQLite store on a full disk', () => {
  it('says ORCH_NO_SPACE, still reads, keeps everything acknowledged and writes again once there is room', async function () {
    if (process.getuid?.() !== 0) skipTest(this, 'mounting a file system takes root');
    using disk = mountSmallDisk();
    const filler = join(disk.path, 'filler');
    writeFileSync(filler, Buffer.alloc(2 ** 20));
    const path = join(disk.path, 'store.db');
    const clock = new FakeClock();
    const acknowledged: string[] = [];
    let refused = 0;
    {
      const isHeld = async (): Promise<boolean> => (await backend.range('leader')).entries.length > 0;
      await using backend = await openSqliteBackend({ path, clock });
      const write = async (key: string): Promise<void> => {
        try {
          const result = await backend.commit([{ key, value: 'x'.repeat(1000) }], []);
          if (result.ok) acknowledged.push(key);
        } catch (error) {
          assert.ok(isOrchError(error, 'ORCH_NO_SPACE'), String(error));
          refused += 1;
        }
      };
      await backend.campaign('leader', 'a', 1000);
      for (let batch = 0; refused < 100; batch += 1) await Promise.all(Array.from({ length: 50 }, (_, index) => write(`k/${batch}/${index}`)));
      assert.deepEqual((await backend.range('k/')).entries.map(({ key }) => key), acknowledged.toSorted());
      await clock.advance(1000);
      await assert.rejects(backend.commit([], [{ type: 'equals', key: 'leader', value: 'a' }]), (error) => isOrchError(error, 'ORCH_NO_SPACE'));
      assert.equal(await isHeld(), true);
      rmSync(filler);
      await write('k/after');
      assert.equal(acknowledged.at(-1), 'k/after');
      assert.equal(await isHeld(), false);
    }
    await using again = await openSqliteBackend({ path, clock });
    assert.deepEqual((await again.range('')).entries.map(({ key }) => key), acknowledged.toSorted());
  });
});
