import assert from 'node:assert/strict';
import type { Node } from '../../model/node.ts';
import type { Service } from '../../model/service.ts';
import { desiredStateRank, stateWriters, taskStateRank, type Task } from '../../model/task.ts';
import type { Component, RecordedWrite } from './recording-store.ts';

/** Fails when somebody writes what is not theirs (the table of architecture section 6), or when a task goes back. */
export function checkWriter(write: RecordedWrite): void {
  const { kind, component } = write;
  // The kind says which type both objects have.
  if (kind === 'task') checkTask(component, write.before as Task | undefined, write.after as Task | undefined);
  else if (kind === 'node') checkNode(component, write.before as Node | undefined, write.after as Node | undefined);
  else if (kind === 'service') checkService(component, write.before as Service | undefined, write.after as Service | undefined);
  else if (kind === 'revision') expectWriter(component, write.after ? ['api'] : ['reaper'], 'revision');
  else expectWriter(component, ['api'], kind);
  if (kind === 'revision') assert.ok(!write.before || !write.after, 'a revision was changed');
}

function checkTask(component: Component, before: Task | undefined, after: Task | undefined): void {
  if (!after) return expectWriter(component, ['reaper'], 'deletion of a task');
  if (!before) {
    expectWriter(component, ['orchestrator'], 'creation of a task');
    return assert.equal(after.status.state, 'new');
  }
  for (const field of ['id', 'serviceId', 'revisionId', 'slot'] as const) assert.equal(after[field], before[field], `task field ${field} was changed by ${component}`);
  if (before.desired !== after.desired) {
    expectWriter(component, ['orchestrator'], `desired ${after.desired}`);
    assert.ok(desiredStateRank(after.desired) > desiredStateRank(before.desired), `desired went from ${before.desired} back to ${after.desired}`);
  }
  if (before.nodeId !== after.nodeId) {
    expectWriter(component, ['scheduler'], 'node of a task');
    assert.equal(before.nodeId, undefined, 'a task was moved');
  }
  checkStatus(component, before, after);
}

function checkStatus(component: Component, before: Task, after: Task): void {
  const { state } = after.status;
  if (before.status.state !== state) {
    expectWriter(component, [stateWriters[state]], `state ${state}`);
    assert.ok(taskStateRank(state) > taskStateRank(before.status.state), `state went from ${before.status.state} back to ${state}`);
  } else if (JSON.stringify(before.status) !== JSON.stringify(after.status)) {
    expectWriter(component, state === 'pending' ? ['scheduler'] : ['agent'], `status in state ${state}`);
  }
}

function checkNode(component: Component, before: Node | undefined, after: Node | undefined): void {
  if (!before || !after) return expectWriter(component, ['api'], 'creation or deletion of a node');
  const changed = (field: keyof Node): boolean => JSON.stringify(before[field]) !== JSON.stringify(after[field]);
  if (changed('spec')) expectWriter(component, ['api'], 'spec of a node');
  if (changed('description') || changed('status') || changed('role')) expectWriter(component, ['dispatcher'], 'status of a node');
  if (changed('bridgeSubnet') || changed('bridgeProblem')) expectWriter(component, ['allocator'], 'subnet of a node');
}

function checkService(component: Component, before: Service | undefined, after: Service | undefined): void {
  if (!after) return expectWriter(component, ['reaper'], 'deletion of a service');
  if (!before) return expectWriter(component, ['api'], 'creation of a service');
  const changed = (field: keyof Service): boolean => JSON.stringify(before[field]) !== JSON.stringify(after[field]);
  if (changed('removing')) expectWriter(component, ['api'], 'removal of a service');
  if (changed('updateStatus')) expectWriter(component, ['orchestrator', 'api'], 'update status');
  // An update that fails with action rollback is the one case in which the system returns to an earlier wish of the user.
  if (changed('spec')) expectWriter(component, after.updateStatus?.state === 'rollback-started' ? ['orchestrator', 'api'] : ['api'], 'spec of a service');
}

const expectWriter = (component: Component, allowed: readonly Component[], what: string): void =>
  assert.ok(allowed.includes(component), `${what} was written by ${component}, not by ${allowed.join(' or ')}`);
