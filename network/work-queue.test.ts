import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { WorkQueue } from './work-queue.ts';

const keyOf = (job: string): string => job.split(' ')[1] ?? '';

describe('WorkQueue', () => {
  it('gathers what comes while it works into one batch', async () => {
    const batches: string[][] = [];
    await using queue = new WorkQueue<string>({ keyOf, async work(items) {
      batches.push(items.map(({ job }) => job));
      await new Promise(setImmediate);
      for (const item of items) item.resolve();
    } });
    const first = queue.run('attach 1');
    await new Promise(setImmediate);
    await Promise.all([first, queue.run('attach 2'), queue.run('attach 3')]);
    assert.deepEqual(batches, [['attach 1'], ['attach 2', 'attach 3']]);
  });

  it('keeps the order of jobs that concern the same thing', async () => {
    const batches: string[][] = [];
    await using queue = new WorkQueue<string>({ keyOf, async work(items) {
      batches.push(items.map(({ job }) => job));
      for (const item of items) item.resolve();
      await Promise.resolve();
    } });
    await Promise.all(['attach 1', 'attach 2', 'detach 1', 'attach 3', 'attach 1'].map((job) => queue.run(job)));
    assert.deepEqual(batches, [['attach 1', 'attach 2'], ['detach 1', 'attach 3'], ['attach 1']]);
  });

  it('rejects what a failed batch left open and works on', async () => {
    let failures = 1;
    await using queue = new WorkQueue<string>({ keyOf, async work(items) {
      await Promise.resolve();
      if (failures > 0) {
        failures -= 1;
        throw new Error('broken');
      }
      for (const item of items) item.resolve();
    } });
    await assert.rejects(queue.run('attach 1'), { message: 'broken' });
    await queue.run('attach 1');
  });

  it('finishes its work when disposed and takes no more', async () => {
    let done = false;
    const queue = new WorkQueue<string>({ keyOf, async work(items) {
      await new Promise(setImmediate);
      done = true;
      for (const item of items) item.resolve();
    } });
    const job = queue.run('attach 1');
    await queue[Symbol.asyncDispose]();
    await job;
    assert.ok(done);
    await assert.rejects(queue.run('attach 2'));
  });
});
