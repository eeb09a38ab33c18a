import type { Clock } from '../base/clock.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { StoreBackend } from './backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';

/** An empty store in memory, for unit tests. Its clock stands still at 0 unless one is given. */
export function openMemoryStore(clock: Clock = new FakeClock()): Promise<Store> {
  return openStore({ backend: new MemoryBackend(clock), clock, onFailure: rethrow });
}

/** The backend without its disposal, so that several stores (managers) can share it; whoever opened it disposes it. */
export function sharedBackend(backend: StoreBackend): StoreBackend {
  return {
    epoch: backend.epoch,
    range: (prefix, options) => backend.range(prefix, options),
    commit: (operations, conditions) => backend.commit(operations, conditions),
    watch: (afterRevision, signal) => backend.watch(afterRevision, signal),
    compact: (revision) => backend.compact(revision),
    snapshot: (path) => backend.snapshot(path),
    campaign: (key, holder, ttlMs) => backend.campaign(key, holder, ttlMs),
    resign: (key, holder) => backend.resign(key, holder),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The backend as over a network: commits take time to get there and their results to come back, and watches lag behind even those. Turns of the event loop, no timers. */
export function distantBackend(backend: StoreBackend): StoreBackend {
  return {
    ...sharedBackend(backend),
    async commit(operations, conditions) {
      await turn();
      const result = await backend.commit(operations, conditions);
      await turn();
      return result;
    },
    watch(afterRevision, signal) {
      const watch = backend.watch(afterRevision, signal);
      return (async function* lag() {
        for await (const commit of watch) {
          for (let turns = 0; turns < 3; turns += 1) await turn();
          yield commit;
        }
      })();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

function rethrow(error: Error): never { throw error; }
