import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { AttachmentRecord } from './attachment-record.ts';
import { planAdoption, type Observed } from './plan-adoption.ts';

const record = (id: string, state: 'attaching' | 'attached' = 'attached'): AttachmentRecord =>
  ({ state, hostLink: `og-${id}`, attachment: { containerId: id, namespacePath: `/n/${id}`, addresses: ['10.0.0.2/24'], ports: [] } });

function observed(records: readonly [string, AttachmentRecord][], ids: readonly string[]): Observed {
  const paths = new Set(ids.map((id) => `/n/${id}`));
  return { records: new Map(records), links: new Set(['eth0', 'orch0', ...ids.map((id) => `og-${id}`)]), namespacePaths: paths, mountedPaths: paths, nowMs: 100_000 };
}

describe('planning what to take over', () => {
  it('keeps a whole attachment and touches nothing of it', () => {
    const plan = planAdoption(observed([['a', record('a')]], ['a']));
    assert.deepEqual([plan.adopt.length, plan.drop, plan.deleteLinks, plan.deleteNamespaces], [1, [], [], []]);
  });

  it('deletes what an interrupted attach left', () => {
    const plan = planAdoption(observed([['a', record('a', 'attaching')]], ['a']));
    assert.deepEqual([plan.adopt, plan.drop.length, plan.deleteLinks, plan.deleteNamespaces], [[], 1, ['og-a'], ['/n/a']]);
  });

  it('forgets a record whose namespace went with a reboot', () => {
    const plan = planAdoption(observed([['a', record('a')]], []));
    assert.deepEqual([plan.adopt, plan.drop.length], [[], 1]);
  });

  it('deletes links and namespaces of ours that no record names, and nothing else', () => {
    const plan = planAdoption(observed([], ['z']));
    assert.deepEqual([plan.deleteLinks, plan.deleteNamespaces], [['og-z'], ['/n/z']]);
  });

  it('keeps an attachment whose link its container deleted', () => {
    const plan = planAdoption({ ...observed([['a', record('a')]], ['a']), links: new Set(['eth0']) });
    assert.equal(plan.adopt.length, 1);
  });

  it('forgets freed addresses that have rested long enough', () => {
    const released = (releasedAtMs: number): AttachmentRecord => ({ state: 'released', containerId: 'x', address: '10.0.0.2/24', releasedAtMs });
    assert.equal(planAdoption(observed([['a', released(40_000)]], [])).drop.length, 1);
    assert.equal(planAdoption(observed([['a', released(40_001)]], [])).drop.length, 0);
  });
});
