import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import type { LogQuery, LogRecord } from '../../model/log-record.ts';
import type { Task } from '../../model/task.ts';
import { testCluster, type TestCluster } from '../testing.ts';

const query: LogQuery = { stdout: true, stderr: true, follow: false, sinceMs: 0, untilMs: 0, tail: Infinity };
const record = (second: number, line: string): LogRecord => ({ stream: 'stdout', time: `2026-01-01T00:00:0${second}.000000000Z`, line: Buffer.from(line), partial: false });

type Reading = { readonly lines: string[]; readonly unavailable: string[]; readonly done: Promise<void> };

function read(cluster: TestCluster, tasks: readonly Task[], options: { follow?: boolean; tail?: number; serviceId?: string; signal?: AbortSignal } = {}): Reading {
  const { follow = false, tail = Infinity, serviceId, signal = new AbortController().signal } = options;
  const lines: string[] = [];
  const unavailable: string[] = [];
  const iterate = async (): Promise<void> => {
    const logs = cluster.control.taskLogs(tasks.map((task) => task.id), { ...query, follow, tail }, {
      signal, onUnavailable: (task, reason) => unavailable.push(`${task.slot}: ${reason}`), ...(serviceId === undefined ? {} : { serviceId }),
    });
    for await (const { line, task } of logs) lines.push(`${task.slot}: ${Buffer.from(line).toString()}`);
  };
  return { lines, unavailable, done: iterate() };
}

function write(cluster: TestCluster, task: Task, records: readonly LogRecord[]): void {
  for (const name of ['n1', 'n2']) if (cluster.agent(name).nodeId === task.nodeId) cluster.agent(name).logs.set(task.id, records);
}

describe('logs of tasks', () => {
  it('are merged by time over nodes', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    await cluster.createService({ replicas: 2 });
    const [first, second] = cluster.tasks('web');
    assert.ok(first && second);
    write(cluster, first, [record(1, 'a'), record(4, 'd')]);
    write(cluster, second, [record(2, 'b'), record(3, 'c')]);
    const reading = read(cluster, [first, second]);
    await reading.done;
    assert.deepEqual(reading.lines, ['1: a', '2: b', '2: c', '1: d']);
  });

  it('come with the last lines of each task only when asked so', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    await cluster.createService({ replicas: 1 });
    const tasks = cluster.tasks('web');
    for (const task of tasks) write(cluster, task, [record(1, 'a'), record(2, 'b')]);
    const reading = read(cluster, tasks, { tail: 1 });
    await reading.done;
    assert.deepEqual(reading.lines, ['1: b']);
  });

  it('of a node that can not be reached are reported as unavailable, and the others still come', async () => {
    await using cluster = await testCluster({ nodes: 2, spec: { heartbeatPeriodMs: 60_000 } });
    await cluster.createService({ replicas: 2 });
    const [first, second] = cluster.tasks('web');
    assert.ok(first && second);
    write(cluster, first, [record(1, 'a')]);
    const dead = cluster.agent('n1').nodeId === second.nodeId ? 'n1' : 'n2';
    cluster.agent(dead).disconnect();
    const reading = read(cluster, [first, second]);
    await reading.done;
    assert.deepEqual(reading.lines, ['1: a']);
    assert.deepEqual(reading.unavailable, [`2: node ${dead} is not connected`]);
  });

  it('that an agent does not begin to send are given up after a while', async () => {
    await using cluster = await testCluster({ nodes: 2, spec: { heartbeatPeriodMs: 60_000 } });
    await cluster.createService({ replicas: 1 });
    const [task] = cluster.tasks('web');
    assert.ok(task);
    for (const name of ['n1', 'n2']) cluster.agent(name).kill();
    const reading = read(cluster, [task]);
    await cluster.advance(10_000);
    await reading.done;
    assert.deepEqual(reading.unavailable, ['1: its node did not answer']);
  });

});

describe('logs of tasks that are followed', () => {
  it('go on with tasks of the service that start later, and end when the reader aborts', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    const serviceId = await cluster.createService({ replicas: 1 });
    const tasks = cluster.tasks('web');
    for (const task of tasks) write(cluster, task, [record(1, 'first')]);
    const abort = new AbortController();
    const reading = read(cluster, tasks, { follow: true, serviceId, signal: abort.signal });
    await cluster.settle();
    assert.deepEqual(reading.lines, ['1: first']);
    await cluster.updateService('web', (spec) => ({ ...spec, mode: { type: 'replicated', replicas: 2 } }));
    const asked = ['n1', 'n2'].flatMap((name) => cluster.agent(name).received.filter((message) => message.type === 'log-subscription'));
    assert.deepEqual(asked.map((message) => message.taskId).toSorted(), cluster.tasks('web').map((task) => task.id).toSorted());
    abort.abort(new Error('enough'));
    await assert.rejects(reading.done, /enough/);
  });

  it('without a service end with the last of their tasks', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    await cluster.createService({ replicas: 1 });
    const tasks = cluster.tasks('web');
    const reading = read(cluster, tasks, { follow: true });
    await reading.done;
    assert.deepEqual(reading.lines, []);
  });

});

describe('logs that an agent sends', () => {
  it('are taken from the node that was asked, and from no other', async () => {
    await using cluster = await testCluster({ nodes: 2 });
    const peer = { nodeId: cluster.agent('n1').nodeId, role: 'worker', clusterId: 'testcluster', address: '' } as const;
    async function* none(): AsyncIterable<LogRecord> { yield* []; }
    await assert.rejects(cluster.nodePlane.receiveLogs(peer, 'unknown', none()), (error) => isOrchError(error, 'ORCH_NOT_FOUND'));
  });
});
