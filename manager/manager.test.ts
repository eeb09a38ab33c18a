import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { testCluster } from './testing.ts';

describe('a manager', () => {
  it('runs the replicas of a new service spread over the nodes', async () => {
    await using cluster = await testCluster({ nodes: 3 });
    await cluster.createService({ replicas: 3 });
    assert.deepEqual(cluster.wanted('web').map((line) => line.split(' ')[1]), ['running', 'running', 'running']);
    assert.equal(new Set(cluster.tasks('web').map((task) => task.nodeId)).size, 3);
  });

  it('restarts a failed task in its slot after the restart delay', async () => {
    await using cluster = await testCluster();
    await cluster.createService({ replicas: 1 });
    await cluster.exit('web', 1, 1);
    assert.deepEqual(cluster.wanted('web'), ['1 ready n1']);
    await cluster.advance(4_999);
    assert.deepEqual(cluster.wanted('web'), ['1 ready n1']);
    await cluster.advance(1);
    assert.deepEqual(cluster.wanted('web'), ['1 running n1']);
  });
});
