import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { DockerNode } from '../../cli/docker-objects.ts';
import { eventually, LabHarness } from './support/lab-harness.ts';

describe('a cluster when parts of it fail', () => {
  let lab: LabHarness;
  before(async () => {
    lab = await LabHarness.up({ name: 'e2e-fail', nodes: 3, subnet: '10.92.0' });
    await lab.loadDemoImage('demo:1');
  });
  after(() => lab[Symbol.asyncDispose]());
  // A test that failed half-way must not take the next ones with it.
  beforeEach(() => eventually('the manager answers', async () => (await lab.on(1, ['node', 'ls'])).exitCode === 0));

  it('runs the tasks of a node that lost power elsewhere', async () => {
    await lab.onOrThrow(1, ['service', 'create', '--name', 'web', '--replicas', '6', '--stop-grace-period', '1s', 'demo:1', 'sleep', '1000']);
    const before = await lab.settled('web', 6);
    const dead = await nodeCalled(lab, 'n3');
    assert.equal(before.filter((task) => task.NodeID === dead.ID).length, 2);
    await lab.lab('kill', '3');
    const now = await eventually('six tasks run on the other nodes', async () => {
      const running = (await lab.running('web')).filter((task) => task.NodeID !== dead.ID);
      return running.length === 6 && running;
    });
    assert.deepEqual(now.map((task) => task.Slot ?? 0).toSorted((a, b) => a - b), [1, 2, 3, 4, 5, 6]);
    const { Status } = await nodeCalled(lab, 'n3');
    assert.equal(Status.State, 'down');
    assert.notEqual(Status.Message ?? '', '');
  });

  it('takes the node back when it has power again, without its old tasks', async () => {
    await lab.lab('start', '3');
    await eventually('node 3 is ready', async () => (await lab.nodes()).every((node) => node.Status.State === 'ready'));
    await lab.settled('web', 6);
    assert.deepEqual(await lab.containers(3), [], 'no lost task runs again');
    await lab.onOrThrow(1, ['service', 'scale', 'web=9']);
    const tasks = await lab.settled('web', 9);
    assert.equal(new Set(tasks.map((task) => task.NodeID)).size, 3, 'the node takes tasks again');
  });

  it('keeps containers running while the daemons of all nodes restart', async () => {
    const before = await lab.settled('web', 9);
    const pids = async (): Promise<string> => JSON.stringify((await Promise.all([1, 2, 3].map((node) => lab.exec(node, ['pgrep', '-f', '-d', ' ', '^sleep 1000$'])))).map((ran) => ran.stdout.trim().split(' ').toSorted()));
    const running = await pids();
    for (const node of await lab.status()) process.kill(node.daemonPid, 'SIGKILL');
    assert.equal(await pids(), running, 'no container ended with its daemon');
    await eventually('all daemons answer again', async () => {
      const answers = await Promise.all([1, 2, 3].map((node) => lab.on(node, ['ps', '-q'])));
      return answers.every((ran) => ran.exitCode === 0);
    });
    await eventually('the nodes are ready', async () => (await lab.nodes()).every((node) => node.Status.State === 'ready'));
    const after = await lab.settled('web', 9);
    assert.deepEqual(after.map((task) => task.ID).toSorted(), before.map((task) => task.ID).toSorted(), 'the same tasks still run');
    assert.equal(await pids(), running, 'in the same processes');
  });

  it('finishes a scale that the death of the manager\'s daemon interrupted', async () => {
    await lab.onOrThrow(1, ['service', 'scale', '--detach', 'web=30']);
    process.kill((await lab.node(1)).daemonPid, 'SIGKILL');
    await eventually('the manager answers again', async () => (await lab.on(1, ['node', 'ls'])).exitCode === 0);
    await lab.settled('web', 30);
    await lab.onOrThrow(1, ['service', 'scale', '--detach', 'web=3']);
    process.kill((await lab.node(1)).daemonPid, 'SIGKILL');
    await eventually('the manager answers again', async () => (await lab.on(1, ['node', 'ls'])).exitCode === 0);
    await lab.settled('web', 3);
  });

  it('goes on running tasks on a node that is cut off, and replaces them elsewhere', async () => {
    const cut = await nodeCalled(lab, 'n2');
    const containers = await lab.containers(2);
    await lab.lab('cut', '2');
    await eventually('the cut node is down', async () => (await nodeCalled(lab, 'n2')).Status.State === 'down');
    await eventually('its tasks run elsewhere', async () => (await lab.running('web')).filter((task) => task.NodeID !== cut.ID).length === 3);
    assert.deepEqual(await lab.containers(2), containers, 'the cut node kept its containers');
    await lab.lab('heal');
    await eventually('the node is ready again', async () => (await lab.nodes()).every((node) => node.Status.State === 'ready'));
    await eventually('three containers run, no more', async () => (await Promise.all([1, 2, 3].map((node) => lab.containers(node)))).flat().length === 3);
  });

  it('moves tasks off a drained node and leaves them alone on a paused one', async () => {
    await lab.onOrThrow(1, ['node', 'update', '--availability', 'drain', 'n3']);
    await eventually('nothing runs on the drained node', async () => (await lab.containers(3)).length === 0 && (await lab.running('web')).length === 3);
    await lab.onOrThrow(1, ['node', 'update', '--availability', 'active', 'n3']);
    await lab.onOrThrow(1, ['node', 'update', '--availability', 'pause', 'n2']);
    const before = (await lab.containers(2)).length;
    await lab.onOrThrow(1, ['service', 'scale', 'web=6']);
    await lab.settled('web', 6);
    assert.equal((await lab.containers(2)).length, before);
    await lab.onOrThrow(1, ['node', 'update', '--availability', 'active', 'n2']);
  });

  it('says why a task can\'t be placed, and places it once it can', async () => {
    await lab.onOrThrow(1, ['service', 'create', '--detach', '--name', 'picky', '--constraint', 'node.labels.disk==ssd', 'demo:1', 'sleep', '1000']);
    const pending = await eventually('an explanation', async () => (await lab.tasks('picky')).find((task) => (task.Status.Message ?? '').includes('constraint')));
    assert.equal(pending.Status.State, 'pending');
    assert.match(pending.Status.Message ?? '', /^no suitable node \(constraint node\.labels\.disk\s?==\s?ssd not met on 3 nodes\)$/);
    assert.match(await lab.onOrThrow(1, ['service', 'ps', '--no-trunc', 'picky']), /no suitable node/);
    await lab.onOrThrow(1, ['node', 'update', '--label-add', 'disk=ssd', 'n2']);
    const [task] = await lab.settled('picky', 1);
    assert.equal(task?.NodeID, (await nodeCalled(lab, 'n2')).ID);
  });

  it('refuses a removed node from then on', async () => {
    const busy = await lab.on(1, ['node', 'rm', 'n3']);
    assert.notEqual(busy.exitCode, 0);
    assert.match(busy.stderr, /n3|is not down/);
    const { ID: id } = await nodeCalled(lab, 'n3');
    await lab.onOrThrow(1, ['node', 'rm', '--force', 'n3']);
    assert.ok(!(await lab.nodes()).some((node) => node.ID === id));
    process.kill((await lab.node(3)).daemonPid, 'SIGKILL');
    await eventually('the removed node knows', async () => /error/.test((await lab.on(3, ['info'])).stdout));
    assert.ok(!(await lab.nodes()).some((node) => node.ID === id));
    await lab.onOrThrow(3, ['leave']);
    const token = (await lab.onOrThrow(1, ['token', '-q', 'worker'])).trim();
    await lab.onOrThrow(3, ['join', '--token', token, '10.92.0.1:2377']);
    await eventually('it is back as a new node', async () => (await lab.nodes()).filter((node) => node.Status.State === 'ready').length === 3);
  });
});

async function nodeCalled(lab: LabHarness, hostname: string): Promise<DockerNode> {
  return (await lab.nodes()).find((node) => node.Description?.Hostname === hostname) ?? assert.fail(`${hostname} is not listed`);
}
