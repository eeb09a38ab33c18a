import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { revision, service, task, type ServiceOverrides } from '../../model/testing.ts';
import type { Task } from '../../model/task.ts';
import { planReaper } from './plan-reaper.ts';

const ended = (attempt: number, slot = 1): Task => task({ id: `t${slot}.${attempt}`, slot, attempt, nodeId: 'n1', desired: 'shutdown', state: 'failed' });
const running = task({ id: 'running', attempt: 99, nodeId: 'n1', state: 'running' });

function reap(tasks: readonly Task[], options: { historyLimit?: number; service?: ServiceOverrides } = {}): string[] {
  return planReaper({ service: service(options.service), tasks, revisions: [revision()], historyLimit: options.historyLimit ?? 5, node: () => undefined })
    .map((action) => action.type === 'delete-task' ? action.taskId : action.type);
}

describe('the reaper', () => {
  it('keeps the newest ended tasks of every slot', () => {
    assert.deepEqual(reap([1, 2, 3, 4, 5, 6, 7].map((attempt) => ended(attempt)).concat([ended(1, 2), running])), ['t1.1', 't1.2']);
  });

  it('keeps all of them with a negative limit, and with 0 none beside a task that runs', () => {
    assert.deepEqual(reap([ended(1), ended(2), running], { historyLimit: -1 }), []);
    assert.deepEqual(reap([ended(1), ended(2), running], { historyLimit: 0 }), ['t1.1', 't1.2']);
  });

  it('keeps the last task of a slot that is done, and as many as the restart policy counts', () => {
    assert.deepEqual(reap([ended(1), ended(2)], { historyLimit: 0 }), ['t1.1']);
    const restart = { condition: 'any', delayMs: 0, maxAttempts: 2, windowMs: 0 } as const;
    assert.deepEqual(reap([1, 2, 3, 4].map((attempt) => ended(attempt)), { historyLimit: 0, service: { spec: { template: { restart } } } }), ['t1.1']);
  });

  it('deletes tasks to be removed once they have ended, and any unwanted one that never had a node', () => {
    assert.deepEqual(reap([
      task({ id: 'stopping', desired: 'remove', state: 'running' }), task({ id: 'stopped', desired: 'remove', state: 'shutdown' }),
      task({ id: 'unplaced', desired: 'shutdown', state: 'pending' }), task({ id: 'placed', desired: 'shutdown', state: 'assigned' }),
    ]), ['stopped', 'unplaced']);
  });

  it('deletes a removed service with its revisions together with its last task', () => {
    const last = task({ id: 'last', desired: 'remove', state: 'shutdown' });
    assert.deepEqual(reap([last], { service: { removing: true } }), ['last', 'delete-revision', 'delete-service']);
    assert.deepEqual(reap([last, task({ id: 'still', desired: 'remove', state: 'running' })], { service: { removing: true } }), ['last']);
  });

  it('deletes revisions that neither the service nor a task names', () => {
    assert.deepEqual(reap([], { service: { revisionId: 'revision2', previousRevisionId: 'revision1' } }), []);
    assert.deepEqual(reap([], { service: { revisionId: 'revision3', previousRevisionId: 'revision2' } }), ['delete-revision']);
  });
});
