import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { TaskStatus } from './task.ts';
import { desiredStateRank, desiredStates, isEnded, isWanted, laterDesired, nextTaskStatus, taskStateRank, taskStates } from './task.ts';

const states = fc.constantFrom(...taskStates);
const statuses: fc.Arbitrary<TaskStatus> = fc.record({ state: states, atMs: fc.nat(), message: fc.string() });

describe('nextTaskStatus', () => {
  it('never goes back and never leaves an end, whatever is reported in whatever order', () => {
    fc.assert(fc.property(statuses, fc.array(statuses, { maxLength: 20 }), (first, reports) => {
      let status = first;
      for (const report of reports) {
        const next = nextTaskStatus(status, report);
        if (next === undefined) {
          assert.ok(isEnded(status.state) || taskStateRank(report.state) < taskStateRank(status.state));
        } else {
          assert.ok(!isEnded(status.state));
          assert.ok(taskStateRank(next.state) >= taskStateRank(status.state));
          assert.equal(next.state, report.state);
          status = next;
        }
      }
    }));
  });

  it('does not depend on late reports arriving', () => {
    fc.assert(fc.property(fc.array(statuses, { minLength: 1, maxLength: 10 }), (reports) => {
      const fold = (history: readonly TaskStatus[]): TaskStatus =>
        history.reduce((status, report) => nextTaskStatus(status, report) ?? status, { state: 'new', atMs: 0, message: '' });
      const kept = reports.filter((report, at) => reports.slice(0, at).every((earlier) => taskStateRank(earlier.state) <= taskStateRank(report.state) && !isEnded(earlier.state)));
      assert.deepEqual(fold(kept).state, fold(reports).state);
    }));
  });

  it('keeps the container and ports of a report that names none', () => {
    const container = { id: 'c', pid: 1, addresses: [] };
    const next = nextTaskStatus({ state: 'running', atMs: 0, message: '', container, ports: [] }, { state: 'failed', atMs: 1, message: 'exit', exitCode: 1 });
    assert.deepEqual(next, { state: 'failed', atMs: 1, message: 'exit', exitCode: 1, container, ports: [] });
  });

  it('replaces the message of the same state', () => {
    assert.equal(nextTaskStatus({ state: 'preparing', atMs: 0, message: 'pulling 10 %' }, { state: 'preparing', atMs: 1, message: 'pulling 20 %' })?.message, 'pulling 20 %');
  });
});

describe('desired states', () => {
  it('only move forward', () => {
    const desired = fc.constantFrom(...desiredStates);
    fc.assert(fc.property(desired, desired, (a, b) => {
      assert.equal(desiredStateRank(laterDesired(a, b)), Math.max(desiredStateRank(a), desiredStateRank(b)));
      assert.equal(laterDesired(a, b), laterDesired(b, a));
    }));
  });
  it('are wanted up to running', () => assert.deepEqual(desiredStates.filter(isWanted), ['ready', 'running']));
});
