import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { eventually, LabHarness } from './support/lab-harness.ts';

const NAMESPACES = ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup'];

describe('a service on a three-node cluster', () => {
  let lab: LabHarness;
  before(async () => {
    lab = await LabHarness.up({ name: 'e2e-svc', nodes: 3, subnet: '10.91.0' });
    await lab.loadDemoImage('demo:1');
  });
  after(() => lab[Symbol.asyncDispose]());

  it('runs three replicas, one on each node, in namespaces of their own', async () => {
    const created = await lab.on(1, ['service', 'create', '--name', 'web', '--replicas', '3', '--publish', 'mode=host,target=8080,published=8080', 'demo:1']);
    assert.equal(created.exitCode, 0, created.stderr);
    const tasks = await lab.settled('web', 3);
    assert.equal(new Set(tasks.map((task) => task.NodeID)).size, 3);
    const shown = await lab.onOrThrow(1, ['service', 'ps', '--format', '{{.Name}} {{.Node}} {{.State}}', 'web']);
    assert.deepEqual(shown.trim().split('\n').map((row) => row.split(' ')[0]), ['web.1', 'web.2', 'web.3']);
    for (const { index } of await lab.status()) {
      const pid = await hostPidOfContainer(lab, index);
      for (const kind of NAMESPACES) assert.notEqual(readlinkSync(`/proc/${pid}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`), `${kind} namespace of node ${index}`);
    }
  });

  it('answers on the port that each node publishes', async () => {
    const answers = new Set<string>();
    for (const { address } of await lab.status()) {
      const ran = await eventually(`${address} answers`, async () => {
        const got = await lab.outside(['curl', '-sS', '--max-time', '5', `http://${address}:8080/`]);
        return got.exitCode === 0 && got;
      });
      answers.add(ran.stdout);
    }
    assert.equal(answers.size, 3, [...answers].join());
    for (const answer of answers) assert.match(answer, /^Hello from /);
  });

  it('shows the logs of all its tasks', async () => {
    const logs = await lab.onOrThrow(1, ['service', 'logs', 'web']);
    const lines = logs.trim().split('\n');
    assert.equal(lines.filter((line) => line.includes('serving on port 8080')).length, 3, logs);
    assert.match(lines[0] ?? '', /^web\.\d\.[a-z0-9]+@n\d +\| /);
  });

  it('scales to 30 and back', async () => {
    await lab.onOrThrow(1, ['service', 'create', '--detach', '--name', 'many', 'demo:1', 'sleep', '1000']);
    await lab.onOrThrow(1, ['service', 'scale', 'many=30']);
    const tasks = await lab.settled('many', 30);
    const perNode = Object.values(Object.groupBy(tasks, (task) => task.NodeID ?? '')).map((group) => group?.length ?? 0);
    assert.ok(Math.max(...perNode) - Math.min(...perNode) <= 1, `uneven: ${perNode.join()}`);
    await lab.onOrThrow(1, ['service', 'scale', 'many=2']);
    await lab.settled('many', 2);
    await eventually('containers of removed tasks are gone', async () => {
      const counts = await Promise.all([1, 2, 3].map(async (node) => (await lab.containers(node)).filter((name) => name.startsWith('many.')).length));
      return counts.reduce((sum, count) => sum + count, 0) === 2;
    });
  });

  it('replaces a task whose process ends', async () => {
    await lab.onOrThrow(1, ['service', 'create', '--name', 'phoenix', '--restart-delay', '0s', 'demo:1', 'sleep', '1000']);
    const [before] = await lab.settled('phoenix', 1);
    assert.ok(before?.NodeID);
    const { index } = await nodeOfTask(lab, before.NodeID);
    const pid = before.Status.ContainerStatus?.PID ?? 0;
    await lab.exec(index, ['kill', '-9', String(pid)]);
    const after = await eventually('another task runs', async () => (await lab.running('phoenix')).find((task) => task.ID !== before.ID));
    assert.equal(after.Slot, before.Slot);
    const failed = (await lab.tasks('phoenix')).find((task) => task.ID === before.ID);
    assert.equal(failed?.Status.State, 'failed');
    assert.equal(failed.Status.ContainerStatus?.ExitCode, 137);
  });

  it('leaves nothing of a removed service', async () => {
    const removed = ['web', 'many', 'phoenix'];
    await lab.onOrThrow(1, ['service', 'rm', ...removed]);
    await eventually('services and containers are gone', async () => {
      const containers = (await Promise.all([1, 2, 3].map((node) => lab.onOrThrow(node, ['ps', '-aq'])))).join('').trim();
      return (await lab.services()).length === 0 && containers === '';
    });
    for (const node of await lab.status()) {
      const links = await lab.exec(node.index, ['ip', '-br', 'link']);
      assert.doesNotMatch(links.stdout, /^og-/m);
      const mounts = await lab.exec(node.index, ['cat', '/proc/mounts']);
      assert.doesNotMatch(mounts.stdout, /^overlay /m);
    }
  });
});

/** The host pid of the only container process that runs below this node's pid 1. */
async function hostPidOfContainer(lab: LabHarness, index: number): Promise<number> {
  const node = await lab.node(index);
  const own = readlinkSync(`/proc/${node.initPid}/ns/pid`);
  const netns = readlinkSync(`/proc/${node.initPid}/ns/net`);
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const insideNode = readlinkSync(`/proc/${name}/root`) !== '' && isBelow(Number(name), node.initPid);
      if (insideNode && readlinkSync(`/proc/${name}/ns/pid`) !== own && readlinkSync(`/proc/${name}/ns/net`) !== netns) return Number(name);
    } catch { /* processes come and go while we look */ }
  }
  throw new Error(`node ${index} runs no container`);
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let current = pid; current > 1;) {
    if (current === ancestor) return true;
    current = parentOf(current);
  }
  return false;
}

const parentOf = (pid: number): number => Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

async function nodeOfTask(lab: LabHarness, nodeId: string): Promise<{ index: number }> {
  const nodes = await lab.nodes();
  const hostname = nodes.find((node) => node.ID === nodeId)?.Description?.Hostname ?? '';
  return { index: Number(hostname.replace('n', '')) };
}
