import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { OrchError } from '../model/errors.ts';
import type { PublishedPort } from '../model/service.ts';
import { revision } from '../model/testing.ts';
import { containerIdOf } from './task-names.ts';
import { TestNode } from './testing-manager.ts';

const hostPort = (publishedPort: number): PublishedPort => ({ protocol: 'tcp', targetPort: 80, publishedPort, mode: 'host' });

/** A node with one session and the given tasks, settled. */
async function nodeWith(...taskIds: string[]): Promise<TestNode> {
  const node = new TestNode();
  node.manager.connect(node.agent);
  for (const id of taskIds) node.manager.assign(id);
  await node.settle();
  return node;
}

const stateOf = (node: TestNode, taskId: string): string => {
  const status = node.manager.statuses.get(taskId);
  return `${status?.state} ${status?.error ?? status?.message}`;
};

describe('an agent', () => {
  it('runs what it is assigned and tells where', async () => {
    await using node = await nodeWith('a');
    assert.deepEqual(node.containers(), ['web.1.a running attached']);
    assert.deepEqual(node.manager.statuses.get('a'), { state: 'running', atMs: 1_000, message: 'started', container: { id: containerIdOf('a'), pid: 1000, addresses: ['10.200.3.2/24'] } });
  });

  it('pulls an image that is not there, once for all tasks', async () => {
    await using node = await nodeWith();
    for (const id of ['a', 'b']) node.manager.assign(id, { revision: revision({ id: 'r2', template: { container: { image: 'other:2' } } }) });
    await node.settle();
    assert.deepEqual(node.images.pulled, ['other:2']);
    assert.deepEqual(node.containers(), ['web.1.a running attached', 'web.1.b running attached']);
  });

  it('rejects a task whose image does not exist, and says so', async () => {
    await using node = await nodeWith();
    node.images.missing.add('nope:1');
    node.manager.assign('a', { revision: revision({ template: { container: { image: 'nope:1' } } }) });
    await node.settle();
    assert.equal(stateOf(node, 'a'), 'rejected No such image: nope:1');
    assert.deepEqual(node.containers(), []);
    assert.deepEqual(node.network.attachments(), []);
  });

  it('does not let a stuck pull hold up other tasks, and gives it up when nobody wants it', async () => {
    await using node = await nodeWith();
    node.images.stuck.add('slow:1');
    node.manager.assign('a', { revision: revision({ id: 'r2', template: { container: { image: 'slow:1' } } }) });
    node.manager.assign('b', { slot: 2 });
    await node.settle();
    assert.deepEqual(node.containers(), ['web.2.b running attached']);
    assert.equal(stateOf(node, 'a'), 'preparing preparing');
    node.manager.want('a', 'shutdown');
    await node.settle();
    assert.equal(stateOf(node, 'a'), 'shutdown shutdown');
  });

  it('prepares a task that is wanted ready, and starts it when told', async () => {
    await using node = await nodeWith();
    node.manager.assign('a', { desired: 'ready' });
    await node.settle();
    assert.deepEqual([stateOf(node, 'a'), node.containers()], ['ready prepared', ['web.1.a created attached']]);
    node.manager.want('a', 'running');
    await node.settle();
    assert.deepEqual(node.containers(), ['web.1.a running attached']);
  });
});

describe('an agent whose tasks end', () => {
  it('tells how a task ended, and gives its address back', async () => {
    await using node = await nodeWith('a', 'b', 'c');
    node.engine.exit('web.1.a', 0);
    node.engine.exit('web.1.b', 3);
    node.engine.exit('web.1.c', 137, { oomKilled: true });
    await node.settle();
    assert.deepEqual(['a', 'b', 'c'].map((id) => stateOf(node, id)), ['complete finished', 'failed task: non-zero exit (3)', 'failed task: non-zero exit (137): out of memory']);
    assert.equal(node.manager.statuses.get('b')?.exitCode, 3);
    assert.deepEqual(node.containers(), ['web.1.a exited', 'web.1.b exited', 'web.1.c exited'], 'logs stay until the manager deletes the task');
  });

  it('fails a task that can\'t be started, with the exit code of its command', async () => {
    await using node = new TestNode();
    node.engine.faults = { start: () => new OrchError('ORCH_RUNTIME', 'exec: "nope": not found', { details: { exitCode: 127 } }) };
    node.manager.connect(node.agent);
    node.manager.assign('a');
    await node.settle();
    assert.deepEqual([stateOf(node, 'a'), node.manager.statuses.get('a')?.exitCode], ['failed exec: "nope": not found', 127]);
    assert.deepEqual(node.containers(), ['web.1.a created']);
  });

  it('stops what is to shut down and forgets what is deleted', async () => {
    await using node = await nodeWith('a', 'b');
    node.manager.want('a', 'shutdown');
    node.manager.want('b', 'remove');
    await node.settle();
    assert.deepEqual(node.containers(), ['web.1.a exited', 'web.1.b exited']);
    assert.deepEqual([stateOf(node, 'a'), stateOf(node, 'b')], ['shutdown shutdown', 'shutdown shutdown']);
    node.manager.remove('a');
    node.manager.remove('b');
    await node.settle();
    assert.deepEqual([node.containers(), node.network.attachments()], [[], []]);
  });

  it('stops and removes a deleted task that runs', async () => {
    await using node = await nodeWith('a');
    node.manager.remove('a');
    await node.settle();
    assert.deepEqual([node.containers(), node.network.attachments()], [[], []]);
  });

  it('waits for the grace time of one task without holding up others', async () => {
    await using node = await nodeWith('a', 'b');
    node.engine.faults = { ignoresStop: (container) => container.name === 'web.1.a' };
    node.manager.want('a', 'shutdown');
    node.manager.want('b', 'shutdown');
    await node.settle();
    assert.deepEqual([stateOf(node, 'a'), stateOf(node, 'b')], ['running started', 'shutdown shutdown']);
    await node.clock.advance(10_000);
    await node.settle();
    assert.deepEqual([stateOf(node, 'a'), node.manager.statuses.get('a')?.exitCode], ['shutdown shutdown', 137]);
  });
});

describe('an agent with published ports', () => {
  const publishing = revision({ id: 'published', ports: [hostPort(8080)] });

  it('tells which ports are bound', async () => {
    await using node = await nodeWith();
    node.manager.assign('a', { revision: publishing });
    await node.settle();
    assert.deepEqual(node.manager.statuses.get('a')?.ports, [{ protocol: 'tcp', targetPort: 80, publishedPort: 8080 }]);
  });

  it('prepares the successor of a task on the same port and starts it once the port is free', async () => {
    await using node = await nodeWith();
    node.manager.assign('old', { revision: publishing });
    await node.settle();
    node.manager.assign('new', { revision: publishing, desired: 'ready' });
    await node.settle();
    assert.equal(stateOf(node, 'new'), 'ready prepared');
    node.engine.faults = { ignoresStop: () => true };
    node.manager.want('old', 'shutdown');
    node.manager.want('new', 'running');
    await node.settle();
    assert.equal(stateOf(node, 'new'), 'starting waiting for a port that another task is giving back');
    node.engine.exit('web.1.old', 0);
    await node.settle();
    assert.deepEqual([stateOf(node, 'old'), stateOf(node, 'new')], ['shutdown shutdown', 'running started']);
  });

  it('fails a task whose port another one keeps', async () => {
    await using node = await nodeWith();
    for (const id of ['a', 'b']) {
      node.manager.assign(id, { revision: publishing });
      await node.settle();
    }
    assert.deepEqual([stateOf(node, 'a'), stateOf(node, 'b')], ['running started', 'failed Port 8080/tcp of this node is already in use']);
  });

  it('takes no network for host mode, a closed one for none, and refuses what it does not have', async () => {
    await using node = await nodeWith();
    for (const target of ['host', 'none', 'overlay']) node.manager.assign(target, { revision: revision({ id: target, template: { networks: [{ target, aliases: [] }] } }) });
    await node.settle();
    assert.deepEqual(node.containers(), ['web.1.host running', 'web.1.none running attached']);
    assert.equal(stateOf(node, 'overlay'), 'rejected Network "overlay" can\'t be joined: so far there are only none, host and bridge');
  });

  it('waits for the node\'s subnet', async () => {
    await using node = new TestNode();
    node.manager.assign('a');
    node.manager.connect(node.agent, { bridgeSubnet: '' });
    await node.settle();
    assert.equal(stateOf(node, 'a'), 'preparing waiting for the node\'s network');
    node.manager.setSubnet('10.200.7.0/24');
    await node.settle();
    assert.deepEqual(node.manager.statuses.get('a')?.container?.addresses, ['10.200.7.2/24']);
  });
});

describe('an agent\'s session', () => {
  it('begins with hello and reports everything anew', async () => {
    await using node = await nodeWith('a');
    node.manager.disconnect();
    node.manager.statuses.clear();
    node.manager.heard.length = 0;
    node.manager.connect(node.agent);
    await node.settle();
    assert.deepEqual(node.manager.heard.map(({ type }) => type).slice(0, 2), ['hello', 'status']);
    assert.equal(stateOf(node, 'a'), 'running started');
  });

  it('says in its hello what it holds', async () => {
    await using node = await nodeWith('a');
    const hello = node.agent.hello();
    assert.ok(hello.type === 'hello');
    assert.deepEqual([hello.assignmentEpoch, hello.assignmentSequence, hello.description.hostname, hello.orchVersion], ['epoch1', 2, 'host1', '0.1.0']);
  });

  it('reports again what was not accepted, only the newest of each task, one message at a time', async () => {
    await using node = await nodeWith('a');
    node.manager.accepts = false;
    const before = node.manager.heard.filter(({ type }) => type === 'status').length;
    node.manager.assign('b');
    await node.settle();
    node.engine.exit('web.1.b', 1);
    await node.settle();
    assert.equal(node.manager.heard.filter(({ type }) => type === 'status').length, before + 1);
    node.manager.disconnect();
    node.manager.accepts = true;
    node.manager.connect(node.agent);
    await node.settle();
    assert.equal(stateOf(node, 'b'), 'failed task: non-zero exit (1)');
  });

  it('is ended by a diff that does not follow, and the next one begins from nothing', async () => {
    await using node = await nodeWith('a');
    node.manager.session.receive({ type: 'assignments', assignments: { snapshot: false, epoch: 'epoch1', baseSequence: 77, sequence: 78, tasks: [], removedTaskIds: ['a'], revisions: [], removedRevisionIds: [] } });
    assert.ok(node.manager.isClosed);
    assert.ok(node.manager.closedWith instanceof OrchError);
    const hello = node.agent.hello();
    assert.ok(hello.type === 'hello');
    assert.deepEqual([hello.assignmentEpoch, hello.assignmentSequence], ['', 0]);
    await node.settle();
    assert.deepEqual(node.containers(), ['web.1.a running attached']);
  });
});

describe('an agent in a session', () => {
  it('sends heartbeats at the period of the manager\'s last word', async () => {
    await using node = new TestNode();
    const session = node.manager.connect(node.agent, { heartbeatPeriodMs: 1_000 });
    const beats = (): number => node.manager.heard.filter(({ type }) => type === 'heartbeat').length;
    await node.clock.advance(3_000);
    assert.equal(beats(), 3);
    session.receive({ type: 'heartbeat-ack', heartbeatPeriodMs: 10_000 });
    await node.clock.advance(11_000);
    assert.equal(beats(), 5);
    node.manager.disconnect();
    await node.clock.advance(60_000);
    assert.equal(beats(), 5);
  });

  it('ends with a goodbye when the agent does', async () => {
    const node = await nodeWith('a');
    await node[Symbol.asyncDispose]();
    assert.equal(node.manager.heard.at(-1)?.type, 'goodbye');
    assert.ok(node.manager.isClosed);
    assert.equal(node.engine.list()[0]?.state, 'running');
  });

  it('sends the log of a task, and follows it until cancelled', async () => {
    await using node = await nodeWith('a');
    node.engine.say('web.1.a', 'one');
    const query = { stdout: true, stderr: true, follow: true, sinceMs: 0, untilMs: 0, tail: Infinity };
    node.manager.session.receive({ type: 'log-subscription', id: 'l1', taskId: 'a', query });
    node.manager.session.receive({ type: 'log-subscription', id: 'l2', taskId: 'b', query });
    await node.settle();
    node.manager.assign('b');
    node.manager.session.receive({ type: 'log-subscription', id: 'l3', taskId: 'b', query });
    await node.settle();
    node.engine.say('web.1.a', 'two');
    node.engine.say('web.1.b', 'three');
    await node.settle();
    node.manager.session.receive({ type: 'log-cancel', id: 'l1' });
    await node.settle();
    node.engine.say('web.1.a', 'four');
    await node.settle();
    assert.deepEqual([node.manager.logs.get('l1'), node.manager.logs.get('l2'), node.manager.logs.get('l3')], [['one', 'two'], [], ['three']]);
  });
});

describe('an agent that is opened again', () => {
  it('takes over its containers without a manager', async () => {
    await using node = await nodeWith('a', 'b');
    node.manager.assign('slow', { desired: 'ready' });
    await node.settle();
    await node.reopen();
    node.engine.exit('web.1.a', 1);
    await node.settle();
    assert.deepEqual(node.containers(), ['web.1.a exited', 'web.1.b running attached', 'web.1.slow created attached']);
    node.manager.connect(node.agent);
    await node.settle();
    assert.deepEqual([stateOf(node, 'a'), stateOf(node, 'b'), node.engine.created.length], ['failed task: non-zero exit (1)', 'running started', 3]);
  });

  it('removes containers and attachments of tasks that it does not have, and nothing of others', async () => {
    await using node = await nodeWith('a');
    const container = node.engine.list()[0];
    assert.ok(container);
    await node.engine.create({ ...container.create, id: 'f'.repeat(64), name: 'stray', labels: { ...container.create.labels, 'com.docker.swarm.task.id': 'stray' } });
    await node.engine.create({ ...container.create, id: 'e'.repeat(64), name: 'mine', labels: {} });
    await node.network.attach({ containerId: 'd'.repeat(64), mode: 'bridge', ports: [] });
    await node.network.attach({ containerId: 'e'.repeat(64), mode: 'bridge', ports: [] });
    await node.reopen();
    await node.settle();
    assert.deepEqual(node.containers(), ['web.1.a running attached', 'mine created attached']);
    assert.equal(node.network.attachments().length, 2);
  });

  it('finds its containers again when its file is lost', async () => {
    await using node = await nodeWith('a', 'b');
    await node.agent[Symbol.asyncDispose]();
    node.manager.disconnect();
    node.manager.remove('b');
    const fresh = new TestNode();
    Object.assign(fresh, { engine: node.engine, network: node.network });
    await fresh.reopen();
    await fresh.settle();
    assert.equal(node.engine.list().length, 2, 'nothing is removed before a manager has spoken');
    node.manager.connect(fresh.agent);
    for (let round = 0; round < 5; round += 1) await fresh.settle();
    assert.deepEqual([node.containers(), node.engine.created.length], [['web.1.a running attached'], 2]);
    await fresh[Symbol.asyncDispose]();
  });

  it('does not wait for a container that takes its time to stop', async () => {
    const node = await nodeWith('a');
    node.engine.faults = { ignoresStop: () => true };
    node.manager.want('a', 'shutdown');
    await node.settle();
    await node[Symbol.asyncDispose]();
    assert.equal(node.engine.list()[0]?.state, 'running');
  });
});
