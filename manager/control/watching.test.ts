import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { defaultClusterSpec } from '../../model/cluster.ts';
import { isOrchError } from '../../model/errors.ts';
import { testCluster } from '../testing.ts';
import { canonicalJson } from './canonical-json.ts';
import { managerAddress } from './nodes.ts';
import { node } from '../../model/testing.ts';

describe('events', () => {
  it('tell what happened from the call on, with what changed', async () => {
    await using cluster = await testCluster();
    const abort = new AbortController();
    const events = cluster.control.events(abort.signal);
    await cluster.createService();
    await cluster.updateService('web', (spec) => ({ ...spec, mode: { type: 'replicated', replicas: 2 } }));
    await cluster.updateNode('n1', { availability: 'pause' });
    await cluster.removeService('web');
    await cluster.advance(1_000);
    const seen: string[] = [];
    const reading = (async () => { for await (const { type, action, attributes } of events) if (type !== 'task') seen.push(`${action} ${type} ${JSON.stringify(attributes)}`); })();
    await cluster.settle();
    abort.abort();
    await reading;
    assert.match(seen[0] ?? '', /^create service \{"name":"web","image":"web:1","revision":"\w+","replicas":"1"\}$/);
    assert.deepEqual(seen.slice(1, 3), [
      'update service {"name":"web","replicas.old":"1","replicas.new":"2"}', 'update node {"name":"n1","availability.old":"active","availability.new":"pause"}',
    ]);
    assert.match(seen[3] ?? '', /^remove service \{"name":"web"/);
    assert.equal(seen.length, 4, 'a service is removed once to its user');
  });

  it('of tasks tell every state', async () => {
    await using cluster = await testCluster();
    const abort = new AbortController();
    const events = cluster.control.events(abort.signal);
    await cluster.createService();
    const states: string[] = [];
    const reading = (async () => { for await (const { type, attributes } of events) if (type === 'task') states.push(attributes['state.new'] ?? attributes['state'] ?? ''); })();
    await cluster.settle();
    abort.abort();
    await reading;
    assert.deepEqual([states[0], states[1], states[2], states.at(-1)], ['new', 'pending', 'assigned', 'running']);
  });
});

describe('counts of a service', () => {
  it('follow its tasks and its nodes', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    const web = await cluster.createService({ replicas: 3 });
    const agent = await cluster.createService({ name: 'agent', mode: { type: 'global' } });
    assert.deepEqual([cluster.control.serviceCounts(web), cluster.control.serviceCounts(agent)], [{ running: 3, desired: 3, completed: 0 }, { running: 2, desired: 2, completed: 0 }]);
    cluster.agent('n1').disconnect();
    await cluster.advance(2_000);
    assert.deepEqual([cluster.control.serviceCounts(web), cluster.control.serviceCounts(agent)], [{ running: 3, desired: 3, completed: 0 }, { running: 1, desired: 1, completed: 0 }]);
    await cluster.exit('web', 1, 0);
    assert.deepEqual(cluster.control.serviceCounts(web), { running: 2, desired: 3, completed: 1 });
    assert.deepEqual(cluster.control.serviceCounts('nothing'), { running: 0, desired: 0, completed: 0 });
  });
});

describe('the cluster', () => {
  it('changes at the version that was read, with a valid spec', async () => {
    await using cluster = await testCluster();
    const { version } = cluster.control.cluster();
    const keep = { workerToken: false, managerToken: false };
    await cluster.control.updateCluster(version, { ...defaultClusterSpec, taskHistoryLimit: 1 }, keep);
    assert.equal(cluster.control.cluster().spec.taskHistoryLimit, 1);
    await assert.rejects(cluster.control.updateCluster(version, defaultClusterSpec, keep), (error) => isOrchError(error, 'ORCH_CONFLICT'));
    await assert.rejects(cluster.control.updateCluster(version + 1, { ...defaultClusterSpec, bridgePool: 'everything' }, keep), (error) => isOrchError(error, 'ORCH_INVALID'));
  });

  it('says of managers whether they lead and where they are', async () => {
    await using cluster = await testCluster();
    assert.equal(cluster.control.managerStatus(cluster.node('n1').id), undefined);
    const addressed = (advertiseAddress: string): string => managerAddress({ ...node({ role: 'manager' }), advertiseAddress });
    assert.deepEqual(['192.0.2.1', '192.0.2.1:99', '2001:db8::1', '[2001:db8::1]:99'].map(addressed), ['192.0.2.1:2377', '192.0.2.1:99', '[2001:db8::1]:2377', '[2001:db8::1]:99']);
  });
});

describe('canonical JSON', () => {
  it('is the same for what means the same', () => {
    assert.equal(canonicalJson({ b: 1, a: { d: [1, { y: 1, x: undefined }], c: 2 } }), canonicalJson({ a: { c: 2, d: [1, { y: 1 }] }, b: 1 }));
    assert.notEqual(canonicalJson([1, 2]), canonicalJson([2, 1]));
  });
});
