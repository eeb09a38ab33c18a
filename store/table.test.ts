import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { task } from '../model/testing.ts';
import { kinds } from './kinds.ts';
import { Table } from './table.ts';

const idsOf = (tasks: readonly { id: string }[]): string[] => tasks.map(({ id }) => id).toSorted();

describe('table', () => {
  it('never changes an array that it gave out, and gives the same one while nothing changes', () => {
    const table = new Table(kinds.task.indexes);
    const first = task({ id: '1', nodeId: 'n1' });
    table.set(first, 1);
    const before = table.by('node', 'n1');
    assert.equal(table.by('node', 'n1'), before);
    table.set({ ...first, version: 2 }, 2);
    table.set(task({ id: '2', nodeId: 'n1' }), 3);
    table.delete('1');
    assert.deepEqual(before, [first]);
    assert.deepEqual(idsOf(table.by('node', 'n1')), ['2']);
  });

  it('moves objects between keys, out of an index and back', () => {
    const table = new Table(kinds.task.indexes);
    table.set(task({ id: '1' }), 1);
    assert.deepEqual(table.by('node', 'n1'), []);
    table.set(task({ id: '1', nodeId: 'n1' }), 2);
    table.set(task({ id: '1', nodeId: 'n2' }), 3);
    assert.deepEqual([table.by('node', 'n1').length, table.by('node', 'n2').length], [0, 1]);
    table.set(task({ id: '1' }), 4);
    assert.deepEqual(table.by('node', 'n2'), []);
    assert.equal(table.modRevision('1'), 4);
  });

  it('keeps thousands of objects of one key through deletions in any order', () => {
    const table = new Table(kinds.task.indexes);
    const ids = Array.from({ length: 3000 }, (_, index) => String(index));
    for (const id of ids) table.set(task({ id, nodeId: 'n1' }), 1);
    const gone = new Set(ids.filter((_, index) => index % 7 === 0 || index > 2500));
    for (const id of gone) table.delete(id);
    for (const id of ids.slice(0, 10)) table.set(task({ id, nodeId: 'n1' }), 2);
    const left = ids.filter((id, index) => !gone.has(id) || index < 10);
    assert.deepEqual(idsOf(table.by('node', 'n1')), left.toSorted());
    assert.deepEqual(idsOf([...table.list()]), left.toSorted());
    assert.equal(table.count, left.length);
    for (const id of left) table.delete(id);
    assert.deepEqual(table.by('node', 'n1'), []);
  });
});
