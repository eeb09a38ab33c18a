import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Task } from '../model/task.ts';
import { node, revision, task } from '../model/testing.ts';
import type { Decision } from './decision.ts';
import { schedule } from './schedule.ts';
import { SchedulerState } from './scheduler-state.ts';

const MIB = 1024 ** 2;

/** A state with one node that has room for exactly one task of `revision1`. */
function fullAfterOne(): SchedulerState {
  const state = new SchedulerState();
  state.upsertNode(node({ id: 'a', memoryBytes: 64 * MIB }));
  state.upsertRevision(revision({ template: { reserve: { memoryBytes: 64 * MIB } } }));
  return state;
}

const decide = (state: SchedulerState): Decision => schedule(state, state.pendingWork(), 0);
/** Adds a pending task and tells where it goes. */
function nodeFor(state: SchedulerState, id: string): string | undefined {
  state.upsertTask(task({ id }));
  return decide(state).placements.find((placement) => placement.taskId === id)?.nodeId;
}
const withState = (told: Task, state: Task['status']['state']): Task => ({ ...told, status: { ...told.status, state } });

describe('SchedulerState', () => {
  it('gives a place back when its task has ended, not when it is asked to', () => {
    const state = fullAfterOne();
    const running = task({ id: 'x', nodeId: 'a', state: 'running' });
    state.upsertTask(running);
    assert.equal(nodeFor(state, 'y'), undefined);
    state.upsertTask({ ...running, desired: 'shutdown' });
    assert.equal(nodeFor(state, 'y'), undefined);
    state.upsertTask({ ...withState(running, 'shutdown'), desired: 'shutdown' });
    assert.equal(nodeFor(state, 'y'), 'a');
  });

  it('gives a place back when its task is removed', () => {
    const state = fullAfterOne();
    state.upsertTask(task({ id: 'x', nodeId: 'a', state: 'running' }));
    state.removeTask('x');
    state.removeTask('never-heard-of');
    assert.equal(nodeFor(state, 'y'), 'a');
  });

  it('counts tasks of a revision and of a node that it hears of later', () => {
    const state = new SchedulerState();
    state.upsertTask(task({ id: 'x', nodeId: 'a', state: 'running' }));
    state.upsertRevision(revision({ template: { reserve: { memoryBytes: 64 * MIB } } }));
    state.upsertNode(node({ id: 'a', memoryBytes: 64 * MIB }));
    assert.equal(nodeFor(state, 'y'), undefined);
    state.removeTask('x');
    assert.equal(nodeFor(state, 'y'), 'a');
  });

  it('forgets tasks that wait for a revision when they end', () => {
    const state = new SchedulerState();
    state.upsertTask(task({ id: 'x', nodeId: 'a', state: 'running' }));
    state.upsertTask(task({ id: 'x', nodeId: 'a', state: 'failed' }));
    state.upsertRevision(revision({ template: { reserve: { memoryBytes: 64 * MIB } } }));
    state.upsertNode(node({ id: 'a', memoryBytes: 64 * MIB }));
    assert.equal(nodeFor(state, 'y'), 'a');
  });

});

describe('SchedulerState of nodes', () => {
  it('knows the tasks of a node that is removed and comes back', () => {
    const state = fullAfterOne();
    state.upsertTask(task({ id: 'x', nodeId: 'a', state: 'running' }));
    state.removeNode('a');
    assert.equal(nodeFor(state, 'y'), undefined);
    state.upsertNode(node({ id: 'a', memoryBytes: 64 * MIB }));
    assert.equal(nodeFor(state, 'y'), undefined);
    state.upsertNode(node({ id: 'a', memoryBytes: 128 * MIB }));
    assert.equal(nodeFor(state, 'y'), 'a');
  });

  it('does not take a node for the one that had its slot before', () => {
    const state = new SchedulerState();
    state.upsertRevision(revision({ template: { placement: { constraints: ['node.labels.disk==ssd'], spread: ['node.labels.zone'] } } }));
    state.upsertNode(node({ id: 'a', labels: { disk: 'ssd' } }));
    assert.equal(nodeFor(state, 'x'), 'a');
    state.removeTask('x');
    state.removeNode('a');
    state.upsertNode(node({ id: 'b' }));
    assert.equal(nodeFor(state, 'y'), undefined);
    state.upsertNode(node({ id: 'b', labels: { disk: 'ssd' } }));
    assert.equal(nodeFor(state, 'y'), 'b');
  });

  it('tries again as soon as a node could have room, and not before', () => {
    const state = fullAfterOne();
    state.upsertTask(task({ id: 'x', nodeId: 'a', state: 'running' }));
    assert.equal(nodeFor(state, 'y'), undefined);
    assert.equal(decide(state).unplaced[0]?.explanation, decide(state).unplaced[0]?.explanation, 'the very same explanation, so nothing was looked at again');
    state.upsertNode(node({ id: 'b' }));
    assert.deepEqual(decide(state).placements, [{ taskId: 'y', nodeId: 'b' }]);
  });
});

describe('SchedulerState of services', () => {
  it('does not count a task towards the maximum on a node once it is asked to stop', () => {
    const state = new SchedulerState();
    state.upsertNode(node({ id: 'a' }));
    state.upsertRevision(revision({ template: { placement: { maxReplicasPerNode: 1 } } }));
    const running = task({ id: 'x', nodeId: 'a', state: 'running' });
    state.upsertTask(running);
    assert.equal(nodeFor(state, 'y'), undefined);
    state.upsertTask({ ...running, desired: 'shutdown' });
    assert.equal(nodeFor(state, 'y'), 'a');
  });
});

describe('SchedulerState.rollback', () => {
  it('gives the place back and lets the task wait again', () => {
    const state = fullAfterOne();
    assert.equal(nodeFor(state, 'x'), 'a');
    assert.deepEqual(state.pendingWork().groups, []);
    state.rollback(['x']);
    assert.deepEqual(state.pendingWork().groups, [{ serviceId: 'service1', revisionId: 'revision1', taskIds: ['x'] }]);
    assert.deepEqual(decide(state).placements, [{ taskId: 'x', nodeId: 'a' }]);
  });

  it('does not let a task wait that is no longer wanted', () => {
    const state = fullAfterOne();
    nodeFor(state, 'x');
    state.upsertTask(task({ id: 'x', desired: 'shutdown' }));
    assert.equal(nodeFor(state, 'y'), undefined, 'the placement counts until it is taken back');
    state.rollback(['x']);
    assert.deepEqual(decide(state).placements, [{ taskId: 'y', nodeId: 'a' }]);
  });

  it('changes nothing for tasks seen assigned, ended, removed, or never placed', () => {
    const state = fullAfterOne();
    nodeFor(state, 'x');
    state.upsertTask(task({ id: 'x', nodeId: 'a', state: 'assigned' }));
    state.rollback(['x', 'unknown']);
    assert.equal(nodeFor(state, 'y'), undefined);
    state.rollback(['y']);
    state.removeTask('x');
    assert.deepEqual(decide(state).placements, [{ taskId: 'y', nodeId: 'a' }]);
    state.upsertTask(task({ id: 'y', state: 'rejected' }));
    state.rollback(['y']);
    assert.deepEqual(state.pendingWork(), { preassigned: [], groups: [] });
  });

  it('takes the word of the store for where a task is', () => {
    const state = fullAfterOne();
    nodeFor(state, 'x');
    state.upsertNode(node({ id: 'b', memoryBytes: 64 * MIB }));
    state.upsertTask(task({ id: 'x', nodeId: 'b', state: 'assigned' }));
    assert.equal(nodeFor(state, 'y'), 'a');
    assert.equal(nodeFor(state, 'z'), undefined);
  });

  it('lets preassigned tasks wait again for their node', () => {
    const state = fullAfterOne();
    state.upsertTask(task({ id: 'g', nodeId: 'a', slot: 0 }));
    assert.deepEqual(decide(state).placements, [{ taskId: 'g', nodeId: 'a' }]);
    state.rollback(['g']);
    assert.deepEqual(state.pendingWork().preassigned, [{ taskId: 'g', nodeId: 'a', serviceId: 'service1', revisionId: 'revision1' }]);
  });
});

describe('SchedulerState over a long time', () => {
  it('stays right however much has changed since an index was last used', () => {
    const state = new SchedulerState();
    for (const id of ['a', 'b', 'c']) state.upsertNode(node({ id, labels: { zone: id } }));
    state.upsertRevision(revision());
    state.upsertRevision(revision({ id: 'other', serviceId: 'other', template: { placement: { constraints: ['node.labels.zone!=c'] } } }));
    for (let round = 0; round < 3000; round += 1) {
      const id = `t${round}`;
      state.upsertTask(task({ id, serviceId: 'other', revisionId: 'other' }));
      assert.equal(decide(state).placements[0]?.nodeId, round % 2 === 0 ? 'a' : 'b');
      if (round % 2 === 1) for (const done of [id, `t${round - 1}`]) state.removeTask(done);
    }
    state.upsertTask(task({ id: 'x', serviceId: 'other', revisionId: 'other', nodeId: 'a', state: 'running' }));
    assert.equal(nodeFor(state, 'y'), 'b');
    assert.equal(nodeFor(state, 'z'), 'c');
  });

  it('keeps a bounded number of indexes, and builds again what it dropped', () => {
    const state = new SchedulerState({ maxIndexSize: 1 });
    const zones = Array.from({ length: 20 }, (_, index) => `z${index}`);
    for (const zone of zones) {
      state.upsertNode(node({ id: zone, labels: { zone } }));
      state.upsertRevision(revision({ id: zone, serviceId: zone, template: { placement: { constraints: [`node.labels.zone==${zone}`], spread: ['node.labels.zone'] } } }));
    }
    for (let round = 0; round < 3; round += 1) {
      for (const zone of zones) state.upsertTask(task({ id: `${zone}.${round}`, serviceId: zone, revisionId: zone }));
      const { placements } = decide(state);
      assert.deepEqual(placements.map(({ nodeId }) => nodeId), zones);
      assert.deepEqual(placements.map(({ taskId }) => taskId), zones.map((zone) => `${zone}.${round}`));
    }
  });

  it('forgets values of spread labels that no node has any more', () => {
    const state = new SchedulerState();
    const spread = revision({ template: { placement: { spread: ['node.labels.build'] } } });
    state.upsertRevision(spread);
    for (let build = 0; build < 500; build += 1) {
      for (const id of ['a', 'b']) state.upsertNode(node({ id, labels: { build: `${id}${build}` } }));
      const requirements = state.requirements(spread.id);
      assert.ok(requirements && state.index(requirements).branchCount <= 80);
    }
    assert.deepEqual([nodeFor(state, 'x'), nodeFor(state, 'y')].toSorted((a = '', b = '') => a.localeCompare(b)), ['a', 'b']);
  });
});
