import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { node, service, task } from '../../model/testing.ts';
import type { RestartPolicy, Service } from '../../model/service.ts';
import type { Task } from '../../model/task.ts';
import { planRestart } from './plan-restart.ts';
import { groupSlots } from './slots.ts';
import type { Plan } from './snapshot.ts';

const policy: RestartPolicy = { condition: 'any', delayMs: 5_000, maxAttempts: 0, windowMs: 0 };
const failed = (attempt: number, atMs: number, desired: Task['desired'] = 'shutdown'): Task =>
  task({ id: `t${attempt}`, attempt, nodeId: 'n1', desired, state: 'failed', status: { atMs } });

function plan(tasks: readonly Task[], restart: Partial<RestartPolicy>, nowMs = 10_000): Plan {
  const owner: Service = service({ spec: { template: { restart: { ...policy, ...restart } } } });
  const nodes = [node({ id: 'n1' }), node({ id: 'down', state: 'down' })];
  const snapshot = { service: owner, tasks, nowMs, node: (id: string) => nodes.find((each) => each.id === id), nodes: () => nodes, template: () => owner.spec.template };
  const [slot] = groupSlots(snapshot).values();
  assert.ok(slot);
  return planRestart(snapshot, slot);
}

const restarts = (tasks: readonly Task[], restart: Partial<RestartPolicy>, nowMs?: number): boolean => plan(tasks, restart, nowMs).actions.some((action) => action.type === 'create-task');

describe('the restart policy', () => {
  it('counts attempts from the tasks that are kept of the slot', () => {
    const ends = [failed(1, 1_000), failed(2, 2_000), failed(3, 3_000, 'running')];
    assert.equal(restarts(ends, { maxAttempts: 3 }), true);
    assert.equal(restarts(ends, { maxAttempts: 2 }), false);
  });

  it('forgets attempts from before its window', () => {
    const ends = [failed(1, 1_000), failed(2, 8_000), failed(3, 10_000, 'running')];
    assert.equal(restarts(ends, { maxAttempts: 2, windowMs: 5_000 }), true);
    assert.equal(restarts(ends, { maxAttempts: 2, windowMs: 10_000 }), false);
  });

  it('does not count tasks of another revision', () => {
    assert.equal(restarts([{ ...failed(1, 1_000), revisionId: 'other' }, failed(2, 2_000, 'running')], { maxAttempts: 1 }), true);
  });

  it('of condition on-failure leaves a success alone, of condition none everything', () => {
    const success = task({ nodeId: 'n1', state: 'complete' });
    assert.equal(restarts([success], { condition: 'on-failure' }), false);
    assert.equal(restarts([failed(1, 1_000, 'running')], { condition: 'on-failure' }), true);
    assert.equal(restarts([failed(1, 1_000, 'running')], { condition: 'none' }), false);
  });

  it('replaces a task whose node is down whatever the condition, without a delay', () => {
    const { actions } = plan([task({ nodeId: 'down', state: 'running' })], { condition: 'none' });
    assert.deepEqual(actions, [{ type: 'create-task', slot: 1, nodeId: undefined, attempt: 1, revisionId: 'revision1', desired: 'running', replaces: ['task1'] }]);
  });
});

describe('a task that is held ready', () => {
  const next = task({ id: 't2', attempt: 2, desired: 'ready', nodeId: 'n1', state: 'ready', createdAtMs: 9_000 });

  it('waits for the delay when it follows a failure', () => {
    assert.deepEqual(plan([failed(1, 9_000), next], {}), { actions: [], wakeAtMs: 14_000 });
    assert.deepEqual(plan([failed(1, 9_000), next], {}, 14_000).actions, [{ type: 'set-desired', taskId: 't2', desired: 'running' }]);
  });

  it('waits for the task before it to stop, but no longer than a minute, and not for a node that is down', () => {
    const stopping = task({ id: 't1', attempt: 1, desired: 'shutdown', nodeId: 'n1', state: 'running', revisionId: 'old' });
    assert.deepEqual(plan([stopping, next], {}), { actions: [], wakeAtMs: 69_000 });
    assert.equal(plan([stopping, next], {}, 69_000).actions.length, 1);
    assert.equal(plan([{ ...stopping, nodeId: 'down' }, next], {}).actions.length, 1);
  });

  it('that fails before its delay is over is not replaced before that', () => {
    assert.deepEqual(plan([failed(1, 9_000), { ...next, status: { state: 'rejected', atMs: 9_500, message: '' } }], {}), { actions: [], wakeAtMs: 14_000 });
  });
});
