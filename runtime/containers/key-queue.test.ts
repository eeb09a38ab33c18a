import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { KeyQueue } from './key-queue.ts';

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('KeyQueue', () => {
  it('runs one key in order, also after a failure, and keys beside each other', async () => {
    const queue = new KeyQueue();
    const order: string[] = [];
    const step = (name: string, fails = false) => async (): Promise<void> => {
      order.push(`${name} begins`);
      await turn();
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
    };
    const running = Promise.allSettled([queue.run('a', step('1', true)), queue.run('a', step('2')), queue.run('b', step('3'))]);
    await queue.idle();
    assert.equal(order.length, 6);
    const results = await running;
    assert.deepEqual(results.map(({ status }) => status), ['rejected', 'fulfilled', 'fulfilled']);
    assert.deepEqual(order.slice(0, 2), ['1 begins', '3 begins']);
    assert.deepEqual(order.filter((text) => !text.startsWith('3')), ['1 begins', '1 ends', '2 begins', '2 ends']);
  });
});
