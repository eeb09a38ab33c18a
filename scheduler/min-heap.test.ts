import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { MinHeap } from './min-heap.ts';

describe('MinHeap', () => {
  it('gives back what was put in by ascending key, also when the first is rekeyed', () => {
    const step = fc.oneof(fc.record({ push: fc.integer({ min: 0, max: 20 }) }), fc.record({ rekey: fc.integer({ min: 0, max: 20 }) }), fc.constant('pop' as const));
    fc.assert(fc.property(fc.array(step, { maxLength: 100 }), (history) => {
      const heap = new MinHeap<{ key: number }>();
      const model: { key: number }[] = [];
      for (const did of history) {
        const least = model.reduce((least, value) => Math.min(least, value.key), Number.POSITIVE_INFINITY);
        assert.equal(heap.peekKey(), least);
        assert.equal(heap.peek()?.key ?? Number.POSITIVE_INFINITY, least);
        if (did === 'pop') {
          const popped = heap.pop();
          assert.equal(popped?.key ?? Number.POSITIVE_INFINITY, least);
          if (popped) model.splice(model.indexOf(popped), 1);
        } else if ('push' in did) {
          const value = { key: did.push };
          heap.push(did.push, value);
          model.push(value);
        } else {
          const first = heap.peek();
          heap.rekeyTop(did.rekey);
          if (first) first.key = did.rekey;
        }
      }
    }));
  });
});
