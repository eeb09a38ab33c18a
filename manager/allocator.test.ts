import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { node } from '../model/testing.ts';
import { planSubnets, subnetsOf } from './allocator.ts';
import { testCluster } from './testing.ts';

describe('bridge subnets', () => {
  it('are the /24 networks of the pool, or a smaller pool itself', () => {
    assert.deepEqual(subnetsOf('10.200.252.0/22'), ['10.200.252.0/24', '10.200.253.0/24', '10.200.254.0/24', '10.200.255.0/24']);
    assert.equal(subnetsOf('10.0.0.0/8').length, 65_536);
    assert.deepEqual(subnetsOf('192.168.7.64/26'), ['192.168.7.64/26']);
  });

  it('go to nodes in the order in which they joined, the lowest free one first', () => {
    const nodes = [node({ id: 'c', createdAtMs: 3 }), node({ id: 'b', createdAtMs: 2 }), { ...node({ id: 'a' }), bridgeSubnet: '10.0.0.0/24' }];
    assert.deepEqual(planSubnets('10.0.0.0/16', nodes), [
      { type: 'give', nodeId: 'b', bridgeSubnet: '10.0.1.0/24' }, { type: 'give', nodeId: 'c', bridgeSubnet: '10.0.2.0/24' },
    ]);
  });

  it('that run out are said on the node, until another node is removed', async () => {
    await using cluster = await testCluster({ nodes: 3, spec: { bridgePool: '10.9.0.0/23' } });
    assert.deepEqual(['n1', 'n2', 'n3'].map((name) => cluster.node(name).bridgeSubnet), ['10.9.0.0/24', '10.9.1.0/24', undefined]);
    assert.match(cluster.node('n3').bridgeProblem ?? '', /10\.9\.0\.0\/23 has no free subnet/);
    await cluster.control.removeNode(cluster.node('n1').id, { force: true });
    await cluster.settle();
    assert.equal(cluster.node('n3').bridgeSubnet, '10.9.0.0/24');
    assert.equal(cluster.node('n3').bridgeProblem, undefined);
  });

  it('reach the agent, whether its node had one when it connected or got it later', async () => {
    await using cluster = await testCluster();
    const told = cluster.agent('n1').received.flatMap((message) => message.type === 'assignments' ? message.assignments.bridgeSubnet ?? [] : message.type === 'welcome' ? message.bridgeSubnet : []);
    assert.equal(told.at(-1), '10.200.0.0/24');
  });
});
