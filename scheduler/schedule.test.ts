import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { NodeOverrides, RevisionOverrides, TaskOverrides } from '../model/testing.ts';
import { node, revision, task } from '../model/testing.ts';
import type { PublishedPort } from '../model/service.ts';
import type { Decision } from './decision.ts';
import { FAILURE_WINDOW_MS } from './recent-failures.ts';
import { checkNodeNow, schedule } from './schedule.ts';
import { SchedulerState } from './scheduler-state.ts';

const MIB = 1024 ** 2;
const NOW_MS = 1_000_000_000;

/** A state of these nodes, running tasks and revisions. */
function stateOf(nodes: readonly NodeOverrides[], revisions: readonly RevisionOverrides[] = [{}], tasks: readonly TaskOverrides[] = []): SchedulerState {
  const state = new SchedulerState();
  for (const overrides of nodes) state.upsertNode(node(overrides));
  for (const overrides of revisions) state.upsertRevision(revision(overrides));
  for (const overrides of tasks) state.upsertTask(task({ state: 'running', ...overrides }));
  return state;
}

/** Adds that many pending tasks and decides where they go. */
function decide(state: SchedulerState, count: number, overrides: TaskOverrides = {}): Decision {
  const { revisionId = 'revision1' } = overrides;
  for (let slot = 1; slot <= count; slot += 1) state.upsertTask(task({ id: `${revisionId}.${slot}`, slot, ...overrides }));
  return schedule(state, state.pendingWork(), NOW_MS);
}

/** How many tasks each node got, in the nodes' order. */
const shares = (decision: Decision, nodeIds: readonly string[]): number[] => nodeIds.map((id) => decision.placements.filter((placement) => placement.nodeId === id).length);
const messages = (decision: Decision): string[] => decision.unplaced.map((unplaced) => unplaced.explanation.message);
const hostPort = (publishedPort: number, protocol: PublishedPort['protocol'] = 'tcp'): PublishedPort => ({ protocol, targetPort: 80, publishedPort, mode: 'host' });

describe('schedule', () => {
  it('gives nodes with fewest tasks of the service the next one', () => {
    const state = stateOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }], [{}, { id: 'other', serviceId: 'other' }], [
      { id: 'x1', nodeId: 'a' }, { id: 'x2', nodeId: 'a' }, { id: 'x3', nodeId: 'b' },
      { id: 'y1', nodeId: 'c', serviceId: 'other', revisionId: 'other' }, { id: 'y2', nodeId: 'c', serviceId: 'other', revisionId: 'other' },
    ]);
    assert.deepEqual(shares(decide(state, 3), ['a', 'b', 'c']), [0, 1, 2]);
  });

  it('takes the node with fewest tasks of all services when the service has as many on each', () => {
    const state = stateOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }], [{}, { id: 'other', serviceId: 'other' }], [
      { id: 'y1', nodeId: 'a', serviceId: 'other', revisionId: 'other' }, { id: 'y2', nodeId: 'b', serviceId: 'other', revisionId: 'other' },
    ]);
    assert.deepEqual(decide(state, 1).placements, [{ taskId: 'revision1.1', nodeId: 'c' }]);
  });

  it('spreads services of one task each over all nodes', () => {
    const nodes = ['a', 'b', 'c', 'd'];
    const ids = Array.from({ length: 8 }, (_, index) => `s${index}`);
    const state = stateOf(nodes.map((id) => ({ id })), ids.map((id) => ({ id, serviceId: id })));
    for (const id of ids) state.upsertTask(task({ id, serviceId: id, revisionId: id }));
    assert.deepEqual(shares(schedule(state, state.pendingWork(), NOW_MS), nodes), [2, 2, 2, 2]);
  });

  it('counts its own placements at once, and does not decide them twice', () => {
    const state = stateOf([{ id: 'a' }, { id: 'b' }]);
    decide(state, 1);
    assert.deepEqual(schedule(state, state.pendingWork(), NOW_MS), { placements: [], unplaced: [] });
    assert.deepEqual(decide(state, 2).placements, [{ taskId: 'revision1.2', nodeId: 'b' }]);
  });

  it('waits for a revision that it does not know yet', () => {
    const state = stateOf([{ id: 'a' }], []);
    assert.deepEqual(messages(decide(state, 1)), ['revision revision1 is not known yet']);
    state.upsertRevision(revision());
    assert.deepEqual(schedule(state, state.pendingWork(), NOW_MS).placements, [{ taskId: 'revision1.1', nodeId: 'a' }]);
  });

  it('uses a node where the revision failed five times in five minutes only when there is no other', () => {
    const failed = (count: number, ageMs: number): TaskOverrides[] =>
      Array.from({ length: count }, (_, index) => ({ id: `f${index}`, nodeId: 'a', state: 'failed', status: { atMs: NOW_MS - ageMs } }));
    const nodes = [{ id: 'a' }, { id: 'b', memoryBytes: 128 * MIB }];
    const revisions = [{ template: { reserve: { memoryBytes: 64 * MIB } } }];
    assert.deepEqual(shares(decide(stateOf(nodes, revisions, failed(5, FAILURE_WINDOW_MS - 1)), 4), ['a', 'b']), [2, 2]);
    assert.deepEqual(shares(decide(stateOf(nodes, revisions, failed(5, FAILURE_WINDOW_MS - 1)), 2), ['a', 'b']), [0, 2]);
    assert.deepEqual(shares(decide(stateOf(nodes, revisions, failed(5, FAILURE_WINDOW_MS)), 2), ['a', 'b']), [1, 1]);
    assert.deepEqual(shares(decide(stateOf(nodes, revisions, failed(4, 0)), 2), ['a', 'b']), [1, 1]);
    const twice = stateOf(nodes, revisions, [...failed(4, 0), ...failed(4, 0)]);
    assert.deepEqual(shares(decide(twice, 2), ['a', 'b']), [1, 1], 'a failure told twice counts once');
  });


  it('is even among nodes to avoid, too', () => {
    const nodes = ['a', 'b', 'c'];
    const failures = nodes.flatMap((nodeId) => Array.from({ length: 5 }, (_, index) => ({ id: `f-${nodeId}-${index}`, nodeId, state: 'failed' as const, status: { atMs: NOW_MS } })));
    const state = stateOf(nodes.map((id) => ({ id })), [{}], [...failures, ...nodes.map((id) => ({ id: `x-${id}`, nodeId: id })), { id: 'y', nodeId: 'c', serviceId: 'other', revisionId: 'other' }]);
    for (const count of [3, 6, 9]) assert.deepEqual(shares(decide(state, count), nodes), [1, 1, 1]);
  });
});

describe('schedule with spread and preassigned tasks', () => {
  it('evens out the values of the first spread label, then those of the next, then nodes', () => {
    const nodes = ['x1', 'x1', 'x2', 'y1'].map((place, index) => ({ id: `n${index}`, labels: { zone: place.charAt(0), rack: place } }));
    const spread = ['node.labels.zone', 'node.labels.rack'];
    const decision = decide(stateOf(nodes, [{ template: { placement: { spread } } }]), 8);
    assert.deepEqual(shares(decision, ['n0', 'n1', 'n2', 'n3']), [1, 1, 2, 4]);
  });

  it('takes a missing spread label as one more value, and counts tasks on full nodes of a value', () => {
    const nodes = [{ id: 'a', labels: { zone: 'x' }, memoryBytes: 64 * MIB }, { id: 'b', labels: { zone: 'x' } }, { id: 'c' }];
    const state = stateOf(nodes, [{ template: { placement: { spread: ['node.labels.zone'] }, reserve: { memoryBytes: 64 * MIB } } }], [{ id: 'x', nodeId: 'a' }]);
    assert.deepEqual(shares(decide(state, 3), ['a', 'b', 'c']), [0, 1, 2]);
  });

  it('gives single tasks that are spread to the value with the least loaded node', () => {
    const nodes = ['x', 'x', 'y', 'z'].map((zone, index) => ({ id: `n${index}`, labels: { zone } }));
    const ids = ['s1', 's2', 's3', 's4'];
    const state = stateOf(nodes, ids.map((id) => ({ id, serviceId: id, template: { placement: { spread: ['node.labels.zone'] } } })));
    for (const id of ids) state.upsertTask(task({ id, serviceId: id, revisionId: id }));
    assert.deepEqual(shares(schedule(state, state.pendingWork(), NOW_MS), ['n0', 'n1', 'n2', 'n3']), [1, 1, 1, 1]);
  });

  it('decides preassigned tasks first and only for their node', () => {
    const state = stateOf([{ id: 'a', memoryBytes: 64 * MIB }, { id: 'b' }], [{ template: { reserve: { memoryBytes: 64 * MIB } } }, { id: 'global', serviceId: 'g', template: { reserve: { memoryBytes: 64 * MIB } } }]);
    state.upsertTask(task({ id: 'any1' }));
    state.upsertTask(task({ id: 'g1', serviceId: 'g', revisionId: 'global', nodeId: 'a', slot: 0 }));
    state.upsertTask(task({ id: 'g2', serviceId: 'g', revisionId: 'global', nodeId: 'gone', slot: 0 }));
    const decision = schedule(state, state.pendingWork(), NOW_MS);
    assert.deepEqual(decision.placements, [{ taskId: 'g1', nodeId: 'a' }, { taskId: 'any1', nodeId: 'b' }]);
    assert.deepEqual(messages(decision), ['no suitable node (node gone is not in the cluster)']);
  });
});

describe('schedule explains', () => {
  /** What is said when one task of the revision finds no node. */
  const explained = (nodes: readonly NodeOverrides[], overrides: RevisionOverrides = {}, tasks: readonly TaskOverrides[] = []): string =>
    messages(decide(stateOf(nodes, [overrides], tasks), 1))[0] ?? assert.fail('the task was placed');

  it('that there are no nodes', () => assert.equal(explained([]), 'no suitable node (no nodes in the cluster)'));

  it('every cause with its number of nodes, most frequent first, a node for its first cause only', () => {
    const big: RevisionOverrides = { template: { reserve: { memoryBytes: 64 * MIB }, placement: { constraints: ['node.labels.disk==ssd'] } } };
    assert.equal(explained([{ id: 'a' }, { id: 'b', memoryBytes: 1 }, { id: 'c', memoryBytes: 1, labels: { disk: 'ssd' } }], big),
      'no suitable node (insufficient memory on 2 nodes; constraint node.labels.disk == ssd not met on 1)');
    assert.equal(explained([{ id: 'a' }, { id: 'b' }, { id: 'c', memoryBytes: 1 }], big),
      'no suitable node (constraint node.labels.disk == ssd not met on 2 nodes; insufficient memory on 1)');
  });

  it('the state of nodes', () => {
    const nodes: NodeOverrides[] = [{ id: 'a', availability: 'drain' }, { id: 'b', availability: 'drain' }, { id: 'c', availability: 'pause' }, { id: 'd', state: 'down', availability: 'drain' }, { id: 'e', state: 'disconnected' }, { id: 'f', state: 'unknown' }, { id: 'g', described: false }];
    assert.equal(explained(nodes),
      'no suitable node (node is drained on 2 nodes; node has not reported yet on 2; node is paused on 1; node is down on 1; node is disconnected on 1)');
  });

  it('insufficient CPU, platforms, host ports and the maximum per node', () => {
    assert.equal(explained([{ nanoCpus: 1e9 - 1 }], { template: { reserve: { nanoCpus: 1e9 } } }), 'no suitable node (insufficient CPU on 1 node)');
    assert.equal(explained([{}], { template: { placement: { platforms: [{ os: 'linux', arch: 'arm64' }] } } }), 'no suitable node (platform linux/arm64 not available on 1 node)');
    assert.equal(explained([{}], { template: { placement: { platforms: [{ os: 'linux', arch: 'arm64' }, { os: 'windows', arch: '' }] } } }), 'no suitable node (platform linux/arm64 or windows not available on 1 node)');
    assert.equal(explained([{}], { ports: [hostPort(8080)] }, [{ id: 'x', nodeId: 'node1' }]), 'no suitable node (host port 8080/tcp in use on 1 node)');
    assert.equal(explained([{}], { template: { placement: { maxReplicasPerNode: 1 } } }, [{ id: 'x', nodeId: 'node1' }]), 'no suitable node (max replicas per node reached on 1 node)');
    assert.equal(explained([{}], { template: { placement: { constraints: ['what'], spread: ['zone'] } } }), 'no suitable node (constraint "what" not understood on 1 node)');
  });

  it('as data too', () => {
    const { unplaced } = decide(stateOf([{ id: 'a', availability: 'pause' }]), 2);
    assert.deepEqual(unplaced, [{ serviceId: 'service1', revisionId: 'revision1', taskIds: ['revision1.1', 'revision1.2'],
      explanation: { message: 'no suitable node (node is paused on 1 node)', causes: [{ kind: 'paused', text: 'node is paused', nodes: 1 }] } }]);
  });
});

describe('schedule never', () => {
  it('reserves more than a node has', () => {
    const decision = decide(stateOf([{ id: 'a', memoryBytes: 128 * MIB }, { id: 'b', memoryBytes: 64 * MIB + 1, nanoCpus: 1e9 }], [{ template: { reserve: { memoryBytes: 64 * MIB, nanoCpus: 5e8 } } }]), 5);
    assert.deepEqual(shares(decision, ['a', 'b']), [2, 1]);
    assert.deepEqual(decision.unplaced[0]?.taskIds, ['revision1.4', 'revision1.5']);
  });

  it('refuses a task that reserves nothing for want of resources', () => {
    const state = stateOf([{ id: 'a', memoryBytes: 64 * MIB }], [{}, { id: 'big', serviceId: 'big', template: { reserve: { memoryBytes: 64 * MIB } } }], [{ id: 'x', nodeId: 'a', serviceId: 'big', revisionId: 'big' }]);
    state.upsertNode(node({ id: 'a', memoryBytes: 1 }));
    assert.equal(decide(state, 3).placements.length, 3);
  });

  it('puts a host port twice on a node, whoever publishes it and however it is stopping', () => {
    const ports = [hostPort(8080)];
    const state = stateOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }], [{ ports }, { id: 'other', serviceId: 'other', ports: [hostPort(8080), hostPort(8080, 'udp')] }], [
      { id: 'x', nodeId: 'a', serviceId: 'other', revisionId: 'other' }, { id: 'y', nodeId: 'b', serviceId: 'other', revisionId: 'other', desired: 'shutdown' },
    ]);
    assert.deepEqual(shares(decide(state, 3), ['a', 'b', 'c', 'd']), [0, 0, 1, 1]);
  });

  it('minds ports of the routing mesh, ports not chosen yet, or the same number of another protocol', () => {
    const state = stateOf([{}], [{ ports: [{ ...hostPort(80), mode: 'ingress' }, hostPort(0), hostPort(53, 'udp')] }, { id: 'other', serviceId: 'other', ports: [hostPort(53)] }], [{ id: 'x', nodeId: 'node1', serviceId: 'other', revisionId: 'other' }]);
    assert.equal(decide(state, 2).placements.length, 1);
  });

  it('exceeds the maximum of replicas on a node', () => {
    const decision = decide(stateOf([{ id: 'a' }, { id: 'b' }], [{ template: { placement: { maxReplicasPerNode: 2 } } }], [{ id: 'x', nodeId: 'a' }]), 9);
    assert.deepEqual(shares(decision, ['a', 'b']), [1, 2]);
  });
});

describe('checkNodeNow', () => {
  it('says why the node cannot take a task, or nothing', () => {
    const state = stateOf([{ id: 'a' }, { id: 'b', labels: { disk: 'ssd' } }], [{ template: { placement: { constraints: ['node.labels.disk==ssd'], maxReplicasPerNode: 1 } } }]);
    assert.equal(checkNodeNow(state, 'revision1', 'b'), undefined);
    assert.equal(checkNodeNow(state, 'revision1', 'a')?.text, 'constraint node.labels.disk == ssd not met');
    assert.equal(checkNodeNow(state, 'revision1', 'nope')?.text, 'node nope is not in the cluster');
    assert.equal(checkNodeNow(state, 'nope', 'a')?.text, 'revision nope is not known yet');
    decide(state, 1);
    assert.equal(checkNodeNow(state, 'revision1', 'b')?.text, 'max replicas per node reached');
  });
});
