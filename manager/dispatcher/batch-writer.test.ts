import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BatchWriter } from './batch-writer.ts';

describe('a batch writer', () => {
  it('writes what gathers during a write in one batch, in order, and resolves each item when it is durable', async () => {
    const batches: number[][] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using writer = new BatchWriter<number>({ maxItems: 10, write: async (items) => {
      batches.push([...items]);
      await gates[batches.length - 1]?.promise;
    } });
    const first = writer.add(1);
    await Promise.resolve();
    await Promise.resolve();
    const later = [writer.add(2), writer.add(3)];
    gates[0]?.resolve();
    await first;
    gates[1]?.resolve();
    await Promise.all(later);
    assert.deepEqual(batches, [[1], [2, 3]]);
  });

  it('rejects the items of a batch that failed and goes on with the next', async () => {
    await using writer = new BatchWriter<number>({ maxItems: 1, write: ([item]) => item === 1 ? Promise.reject(new Error('no')) : Promise.resolve() });
    const [bad, good] = await Promise.allSettled([writer.add(1), writer.add(2)]);
    assert.deepEqual([bad.status, good.status], ['rejected', 'fulfilled']);
  });
});
