import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { node, service, task } from '../../model/testing.ts';
import type { Task } from '../../model/task.ts';
import { planReplicated, removalOrder } from './plan-replicated.ts';
import { groupSlots } from './slots.ts';
import type { ServiceSnapshot } from './snapshot.ts';

const snapshotOf = (tasks: readonly Task[]): ServiceSnapshot => {
  const nodes = [node({ id: 'n1' }), node({ id: 'n2' })];
  const replicated = service();
  return { service: replicated, tasks, nowMs: 0, node: (id) => nodes.find((each) => each.id === id), nodes: () => nodes, template: () => replicated.spec.template };
};
const onNode = (slot: number, nodeId: string, state: Task['status']['state'] = 'running'): Task => task({ id: `t${slot}`, slot, nodeId, state });
const removed = (tasks: readonly Task[]): number[] => removalOrder([...groupSlots(snapshotOf(tasks)).values()]).map((slot) => slot.slot);

describe('scaling', () => {
  it('takes from the node with most tasks first, so that the rest stays balanced', () => {
    assert.deepEqual(removed([onNode(1, 'n1'), onNode(2, 'n1'), onNode(3, 'n1'), onNode(4, 'n2')]), [3, 2, 4, 1]);
  });

  it('takes tasks without a node before all others, and tasks that do not run before those that do', () => {
    assert.deepEqual(removed([onNode(1, 'n1', 'preparing'), onNode(2, 'n2'), task({ id: 't3', slot: 3, state: 'pending' })]), [3, 1, 2]);
    assert.deepEqual(removed([onNode(1, 'n1', 'preparing'), onNode(2, 'n1')]), [1, 2], 'on one node the running task is the one to keep');
  });

  it('fills the lowest free numbers and leaves those alone whose tasks are on their way out', () => {
    const tasks = [onNode(1, 'n1'), onNode(3, 'n2'), task({ id: 't2', slot: 2, nodeId: 'n1', state: 'running', desired: 'remove' })];
    const snapshot = snapshotOf(tasks);
    const { actions, kept } = planReplicated(snapshot, groupSlots(snapshot), 4);
    assert.deepEqual(actions.map((action) => action.type === 'create-task' && action.slot), [2, 4]);
    assert.deepEqual(kept.map((slot) => slot.slot), [1, 3]);
  });
});
