import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../base/fake-clock.ts';
import { openSqliteBackend } from '../../store/sqlite-backend.ts';
import { restoreSqlite } from '../../store/sqlite-snapshot.ts';
import { storeContract } from './store-backend.ts';

storeContract('SQLite', async () => {
  const clock = new FakeClock();
  const directory = await mkdtemp(join(tmpdir(), 'orch-store-'));
  const backend = await openSqliteBackend({ path: join(directory, 'store.db'), clock });
  return {
    backend,
    async restore(snapshot) {
      const path = join(directory, 'restored.db');
      await restoreSqlite({ snapshot, path, clock });
      return openSqliteBackend({ path, clock });
    },
    pass: (durationMs) => clock.advance(durationMs),
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
});
