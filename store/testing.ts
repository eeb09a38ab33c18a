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

function rethrow(error: Error): never { throw error; }
