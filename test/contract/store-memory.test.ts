import { FakeClock } from '../../base/fake-clock.ts';
import { MemoryBackend, restoreMemoryBackend } from '../../store/memory-backend.ts';
import { storeContract } from './store-backend.ts';

storeContract('memory', async () => {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  return {
    backend,
    restore: (path) => restoreMemoryBackend(clock, path),
    pass: (durationMs) => clock.advance(durationMs),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
});
