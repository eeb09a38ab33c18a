import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import type { Assignments } from '../../model/assignment.ts';
import type { ManagerMessage } from '../../proto/session-messages.ts';
import type { FakeAgent } from '../fake-agent.ts';
import { testCluster, type TestCluster } from '../testing.ts';
import { ORPHAN_AFTER_MS } from './orphans.ts';

const assignmentsOf = (agent: FakeAgent): Assignments[] => agent.received.flatMap((message) => message.type === 'assignments' ? message.assignments : []);
const typesOf = (messages: readonly ManagerMessage[]): string[] => messages.map((message) => message.type);
const writesOf = (cluster: TestCluster): () => number => {
  const before = cluster.store.revision.revision;
  return () => cluster.store.revision.revision - before;
};

describe('a session', () => {
  it('begins with a welcome and a snapshot, and goes on with diffs that follow each other', async () => {
    await using cluster = await testCluster();
    const agent = cluster.agent('n1');
    assert.deepEqual(typesOf(agent.received).slice(0, 2), ['welcome', 'assignments']);
    await cluster.createService({ replicas: 2 });
    await cluster.updateService('web', (spec) => ({ ...spec, mode: { type: 'replicated', replicas: 1 } }));
    await cluster.advance(100);
    const [snapshot, ...diffs] = assignmentsOf(agent);
    assert.equal(snapshot?.snapshot, true);
    let sequence = snapshot?.sequence ?? 0;
    for (const diff of diffs) {
      assert.deepEqual([diff.snapshot, diff.epoch, diff.baseSequence, diff.sequence], [false, snapshot?.epoch, sequence, sequence + 1]);
      sequence = diff.sequence;
    }
    assert.deepEqual(diffs.map((diff) => [diff.tasks.map((task) => task.desired), diff.removedTaskIds.length, diff.revisions.length, diff.removedRevisionIds.length]).slice(-3), [
      [['running', 'running'], 0, 1, 0], [['remove'], 0, 0, 0], [[], 1, 0, 0],
    ]);
  });

  it('carries a revision once, and withdraws it with its last task', async () => {
    await using cluster = await testCluster();
    await cluster.createService({ replicas: 1 });
    await cluster.updateService('web', (spec) => ({ ...spec, mode: { type: 'replicated', replicas: 3 } }));
    await cluster.removeService('web');
    await cluster.advance(100);
    const told = assignmentsOf(cluster.agent('n1'));
    assert.equal(told.flatMap((diff) => diff.revisions).length, 1);
    assert.equal(told.flatMap((diff) => diff.removedRevisionIds).length, 1);
    assert.equal(cluster.agent('n1').tasks.size, 0);
  });

  it('splits what is new after a hundred tasks', async () => {
    await using cluster = await testCluster();
    await cluster.createService({ replicas: 250 });
    const sizes = assignmentsOf(cluster.agent('n1')).map((diff) => diff.tasks.length);
    assert.ok(Math.max(...sizes) <= 100);
    assert.equal(cluster.agent('n1').tasks.size, 250);
  });

});

describe('opening a session', () => {
  it('ends the one before it of the same node', async () => {
    await using cluster = await testCluster();
    const agent = cluster.agent('n1');
    const { nodeId } = agent;
    const { error, channel } = recorder();
    const peer = { nodeId, role: 'worker', clusterId: 'testcluster', address: '192.0.2.7' } as const;
    agent.disconnect();
    cluster.nodePlane.openSession(peer, channel).receive({ type: 'hello', description: descriptionOf(cluster), assignmentEpoch: '', assignmentSequence: 0, orchVersion: '0.1.0', nowMs: 0 });
    agent.start();
    await cluster.settle();
    assert.match(error(), /has opened another session/);
    assert.equal(agent.connected, true);
  });

  it('is refused to removed nodes, unknown ones and those of other clusters', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    const { nodeId } = cluster.agent('n1');
    await cluster.control.removeNode(nodeId, { force: true });
    await cluster.settle();
    assert.match(cluster.agent('n1').lastError ?? '', /was removed from the cluster/, 'its session was cut');
    const open = (peer: { nodeId: string; clusterId?: string }): unknown =>
      cluster.nodePlane.openSession({ role: 'worker', clusterId: 'testcluster', address: '', ...peer }, recorder().channel);
    assert.throws(() => open({ nodeId }), (error) => isOrchError(error, 'ORCH_FORBIDDEN'));
    assert.throws(() => open({ nodeId: 'nobody' }), (error) => isOrchError(error, 'ORCH_NOT_FOUND'));
    assert.throws(() => open({ nodeId: cluster.agent('n2').nodeId, clusterId: 'other' }), (error) => isOrchError(error, 'ORCH_FORBIDDEN'));
  });

  it('is followed by hello before anything else', async () => {
    await using cluster = await testCluster();
    const handler = cluster.nodePlane.openSession({ nodeId: cluster.agent('n1').nodeId, role: 'worker', clusterId: 'testcluster', address: '' }, recorder().channel);
    assert.throws(() => handler.receive({ type: 'heartbeat' }), (error) => isOrchError(error, 'ORCH_INVALID'));
  });
});

describe('reports of an agent', () => {
  it('are accepted once they are durable', async () => {
    await using cluster = await testCluster();
    await cluster.createService({ template: { restart: { condition: 'none', delayMs: 0, maxAttempts: 0, windowMs: 0 } } });
    const agent = cluster.agent('n1');
    const [task] = cluster.tasks('web');
    assert.ok(task);
    agent.received.length = 0;
    agent.exit(task.id, 3);
    assert.deepEqual(typesOf(agent.received), []);
    await cluster.settle();
    assert.equal(cluster.control.task(task.id).status.exitCode, 3);
    assert.deepEqual(agent.received.filter((message) => message.type === 'status-accepted').length, 1);
  });

  it('about tasks of other nodes are forbidden', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    await cluster.createService();
    const [task] = cluster.tasks('web');
    assert.ok(task);
    const other = task.nodeId === cluster.agent('n1').nodeId ? cluster.agent('n2') : cluster.agent('n1');
    assert.throws(() => other.report([{ taskId: task.id, status: { ...task.status, state: 'failed' } }]), (error) => isOrchError(error, 'ORCH_FORBIDDEN'));
    assert.throws(() => cluster.agent('n1').report([{ taskId: 'gone', status: { ...task.status, state: 'orphaned' } }]), (error) => isOrchError(error, 'ORCH_FORBIDDEN'));
    await cluster.settle();
    assert.equal(cluster.control.task(task.id).status.state, 'running');
  });

  it('that are late or say nothing new are not written, and neither are heartbeats', async () => {
    await using cluster = await testCluster({ nodes: 3 });
    await cluster.createService();
    const [task] = cluster.tasks('web');
    assert.ok(task);
    const agent = ['n1', 'n2', 'n3'].map((name) => cluster.agent(name)).find((each) => each.nodeId === task.nodeId);
    const writes = writesOf(cluster);
    agent?.report([{ taskId: task.id, status: { ...task.status, atMs: task.status.atMs + 5 } }, { taskId: task.id, status: { ...task.status, state: 'preparing' } }]);
    agent?.disconnect();
    agent?.start();
    await cluster.advance(600);
    assert.equal(writes(), 0);
    const before = cluster.store.view((view) => [...view.node.list()]);
    await cluster.advance(30_000);
    assert.deepEqual(cluster.store.view((view) => [...view.node.list()]), before);
  });

  it('do not date the future, and keep the time at which the task began to run', async () => {
    await using cluster = await testCluster();
    await cluster.createService();
    const [task] = cluster.tasks('web');
    assert.ok(task);
    await cluster.advance(1_000);
    cluster.agent('n1').report([{ taskId: task.id, status: { state: 'failed', message: '', atMs: cluster.clock.now() + 60_000 } }]);
    await cluster.settle();
    const { status } = cluster.control.task(task.id);
    assert.deepEqual([status.atMs, status.runningAtMs], [cluster.clock.now(), cluster.clock.now() - 1_000]);
  });
});

describe('tasks of a node that is down', () => {
  it('are given up after a day', async () => {
    await using cluster = await testCluster({ nodes: 2, spec: { heartbeatPeriodMs: 3_600_000 } });
    await cluster.createService({ replicas: 2 });
    cluster.agent('n1').disconnect();
    await cluster.advance(2_000);
    assert.equal(cluster.node('n1').status.state, 'down');
    const lost = cluster.tasks('web').filter((task) => task.nodeId === cluster.agent('n1').nodeId).map((task) => task.id);
    await cluster.advance(ORPHAN_AFTER_MS - 1);
    assert.deepEqual(lost.map((id) => cluster.control.task(id).status.state), ['running']);
    await cluster.advance(1);
    assert.deepEqual(lost.map((id) => cluster.control.task(id).status.state), ['orphaned']);
  });
});

describe('a change of role', () => {
  it('asks the agent for a new certificate and is recorded when it comes back with it', async () => {
    await using cluster = await testCluster();
    const { nodeId } = cluster.agent('n1');
    await cluster.setRole('n1', 'manager');
    assert.equal(cluster.agent('n1').received.at(-1)?.type, 'renew-now');
    assert.equal(cluster.node('n1').role, 'worker');
    cluster.agent('n1').disconnect();
    cluster.nodePlane.openSession({ nodeId, role: 'manager', clusterId: 'testcluster', address: '192.0.2.1' }, recorder().channel)
      .receive({ type: 'hello', description: descriptionOf(cluster), assignmentEpoch: '', assignmentSequence: 0, orchVersion: '0.1.0', nowMs: 0 });
    await cluster.settle();
    assert.equal(cluster.node('n1').role, 'manager');
  });
});

function recorder(): { channel: { send(): void; close(error?: Error): void }; error: () => string } {
  let last = '';
  return { channel: { send() { /* not looked at */ }, close(error) { last = error?.message ?? 'in order'; } }, error: () => last };
}

function descriptionOf(cluster: TestCluster): NonNullable<ReturnType<TestCluster['node']>['description']> {
  const { description } = cluster.node('n1');
  assert.ok(description);
  return description;
}
