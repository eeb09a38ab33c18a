import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { systemClock } from '../../base/clock.ts';
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
    const acknowledged: string[] = [];
    let refused = 0;
    {
      await using backend = await openSqliteBackend({ path, clock: systemClock });
      const write = async (key: string): Promise<void> => {
        try {
          const result = await backend.commit([{ key, value: 'x'.repeat(1000) }], []);
          if (result.ok) acknowledged.push(key);
        } catch (error) {
          assert.ok(isOrchError(error, 'ORCH_NO_SPACE'), String(error));
          refused += 1;
        }
      };
      for (let batch = 0; refused < 100; batch += 1) await Promise.all(Array.from({ length: 50 }, (_, index) => write(`k/${batch}/${index}`)));
      assert.deepEqual((await backend.range('')).entries.map(({ key }) => key), acknowledged.toSorted());
      rmSync(filler);
      await write('after');
      assert.equal(acknowledged.at(-1), 'after');
    }
    await using again = await openSqliteBackend({ path, clock: systemClock });
    assert.deepEqual((await again.range('')).entries.map(({ key }) => key), acknowledged.toSorted());
  });
});
