import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { abortable } from './abortable.ts';
import { SharedWork } from './shared-work.ts';

describe('SharedWork', () => {
  it('is done once for all who ask meanwhile, and all hear how far it is', async () => {
    const work = new SharedWork<string, number>();
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const heard: number[] = [];
    const start = async (_signal: AbortSignal, onProgress: (progress: number) => void): Promise<string> => {
      runs += 1;
      await gate.promise;
      onProgress(7);
      return 'done';
    };
    const results = [1, 2, 3].map(() => work.run('key', start, { onProgress: (progress) => heard.push(progress) }));
    gate.resolve();
    assert.deepEqual(await Promise.all(results), ['done', 'done', 'done']);
    assert.deepEqual([runs, heard], [1, [7, 7, 7]]);
    assert.equal(await work.run('key', start), 'done');
    assert.equal(runs, 2);
  });

  it('goes on while one caller is left, and is cut off before the last one hears of it', async () => {
    const work = new SharedWork<void>();
    const steps: string[] = [];
    const start = async (signal: AbortSignal): Promise<void> => {
      await new Promise((_, reject) => { signal.addEventListener('abort', () => reject(new Error('cut off')), { once: true }); }).finally(() => steps.push('stopped'));
    };
    const first = new AbortController();
    const second = new AbortController();
    const waits = [first, second].map(({ signal }) => work.run('key', start, { signal }));
    first.abort(new Error('first left'));
    await assert.rejects(waits[0] ?? Promise.resolve(), { message: 'first left' });
    assert.deepEqual(steps, []);
    second.abort(new Error('second left'));
    await assert.rejects(waits[1] ?? Promise.resolve(), { message: 'second left' });
    assert.deepEqual(steps, ['stopped']);
  });

  it('is tried again by those who joined when it fails, with their own means', async () => {
    const work = new SharedWork<string>();
    const first = work.run('key', async () => {
      await new Promise(setImmediate);
      throw new Error('no credentials');
    });
    const second = work.run('key', () => Promise.resolve('mine'));
    await assert.rejects(first, { message: 'no credentials' });
    assert.equal(await second, 'mine');
  });
});

describe('abortable', () => {
  it('leaves a source that keeps it waiting', async () => {
    const abort = new AbortController();
    let left = false;
    const source: AsyncIterable<number> = { [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => { /* never */ }),
      return: () => {
        left = true;
        return Promise.reject(new Error('nobody hears this'));
      },
    }) };
    const reading = (async () => { for await (const item of abortable(source, abort.signal)) assert.fail(String(item)); })();
    await new Promise(setImmediate);
    abort.abort(new Error('stop'));
    await assert.rejects(reading, { message: 'stop' });
    assert.ok(left);
  });

  it('passes everything on otherwise', async () => {
    async function* three(): AsyncGenerator<number> { yield* [1, 2, 3]; }
    const seen: number[] = [];
    for await (const item of abortable(three(), new AbortController().signal)) seen.push(item);
    assert.deepEqual(seen, [1, 2, 3]);
  });
});
