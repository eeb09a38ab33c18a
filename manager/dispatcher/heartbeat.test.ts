import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { seededRandom } from '../../base/random.ts';
import { defaultClusterSpec } from '../../model/cluster.ts';
import { heartbeatPeriodMs, jitteredPeriodMs } from './heartbeat.ts';

describe('the heartbeat period', () => {
  it('is a second in a small cluster, and grows so that a manager never takes more than a thousand a second', () => {
    assert.deepEqual([1, 1_000, 5_000].map((nodes) => heartbeatPeriodMs(defaultClusterSpec, nodes)), [1_000, 1_000, 5_000]);
    assert.equal(heartbeatPeriodMs({ ...defaultClusterSpec, heartbeatPeriodMs: 300 }, 5_000), 300);
  });

  it('varies from agent to agent and is never longer than agreed', () => {
    const random = seededRandom(1);
    const periods = Array.from({ length: 100 }, () => jitteredPeriodMs(1_000, random));
    assert.ok(Math.max(...periods) <= 1_000 && Math.min(...periods) >= 900 && new Set(periods).size > 50);
  });
});
