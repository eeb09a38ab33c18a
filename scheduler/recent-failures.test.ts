import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FAILURE_WINDOW_MS, FAILURES_TO_AVOID, RecentFailures } from './recent-failures.ts';

const NOW_MS = 1_000_000_000;

/** Failures of one revision on one node, so long ago each. */
function failuresOf(...agesMs: readonly number[]): RecentFailures {
  const failures = new RecentFailures();
  for (const [index, ageMs] of agesMs.entries()) failures.add({ taskId: `t${index}`, revisionId: 'r', nodeId: 'n', atMs: NOW_MS - ageMs });
  return failures;
}
const old = Array.from({ length: FAILURES_TO_AVOID }, () => FAILURE_WINDOW_MS);
const recent = Array.from({ length: FAILURES_TO_AVOID }, (_, index) => index);

describe('RecentFailures', () => {
  it('avoids a node for the newest failures, told before or after older ones', () => {
    assert.deepEqual(failuresOf(...old).nodesToAvoid('r', NOW_MS), []);
    assert.deepEqual(failuresOf(...old, ...recent).nodesToAvoid('r', NOW_MS), ['n']);
    assert.deepEqual(failuresOf(...recent, ...old).nodesToAvoid('r', NOW_MS), ['n']);
    assert.deepEqual(failuresOf(...recent.slice(1), ...old).nodesToAvoid('r', NOW_MS), []);
  });

  it('tells revisions and nodes apart, and forgets them', () => {
    const failures = failuresOf(...recent);
    assert.deepEqual(failures.nodesToAvoid('other', NOW_MS), []);
    failures.removeNode('other');
    failures.removeRevision('other');
    assert.deepEqual(failures.nodesToAvoid('r', NOW_MS), ['n']);
    failures.removeNode('n');
    assert.deepEqual(failures.nodesToAvoid('r', NOW_MS), []);
    const more = failuresOf(...recent);
    more.removeRevision('r');
    assert.deepEqual(more.nodesToAvoid('r', NOW_MS), []);
  });
});
