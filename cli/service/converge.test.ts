import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { isOrchError } from '../../model/errors.ts';
import type { DockerService, DockerTask } from '../docker-objects.ts';
import { FakeApiClient, printed, testContext } from '../testing.ts';
import { readConvergence, waitForConvergence } from './converge.ts';

type TaskParts = { state: string; slot?: number; desired?: string; nodeId?: string; createdAt?: string; message?: string; err?: string; exitCode?: number; image?: string };

const template = (image = 'demo:1'): DockerTask['Spec'] => ({ ContainerSpec: { Image: image } });
const times = { Version: { Index: 1 }, CreatedAt: '2026-01-01T00:00:00Z', UpdatedAt: '2026-01-01T00:00:00Z' };
const service = (replicas: number, update?: DockerService['UpdateStatus']): DockerService =>
  ({ ...times, ID: 's1', Spec: { Name: 'web', Mode: { Replicated: { Replicas: replicas } }, TaskTemplate: template() }, ...(update ? { UpdateStatus: update } : {}) });
const task = ({ state, slot = 1, desired = 'running', nodeId = 'n1', createdAt = times.CreatedAt, message = '', err, exitCode, image }: TaskParts): DockerTask => ({
  ...times, CreatedAt: createdAt, ID: `${slot}-${createdAt}`, ServiceID: 's1', Slot: slot, NodeID: nodeId, DesiredState: desired, Spec: template(image),
  Status: { Timestamp: createdAt, State: state, Message: message, ...(err === undefined ? {} : { Err: err }), ...(exitCode === undefined ? {} : { ContainerStatus: { ExitCode: exitCode } }) },
});

describe('readConvergence', () => {
  it('counts wanted tasks of the current template that run', () => {
    const tasks = [task({ state: 'running' }), task({ state: 'running', slot: 2, image: 'demo:0' }), task({ state: 'running', slot: 3, desired: 'shutdown' }), task({ state: 'starting', slot: 4 })];
    assert.deepEqual(readConvergence(service(4), tasks), { running: 1, desired: 4, problems: [] });
  });

  it('tells each reason once, with how often', () => {
    const waiting = { state: 'pending', message: 'no suitable node (insufficient resources on 3 nodes)' };
    assert.deepEqual(readConvergence(service(2), [task(waiting), task({ ...waiting, slot: 2 })]).problems, ['no suitable node (insufficient resources on 3 nodes) (2 tasks)']);
    assert.deepEqual(readConvergence(service(1), [task({ state: 'preparing', err: 'no such image' })]).problems, ['no such image']);
  });

  it('tells how the last attempt in a slot failed, not the ones before nor those of other slots', () => {
    const old = task({ state: 'failed', desired: 'shutdown', exitCode: 1, createdAt: '2026-01-01T00:00:01Z' });
    const last = task({ state: 'failed', desired: 'shutdown', exitCode: 3, createdAt: '2026-01-01T00:00:02Z' });
    const other = task({ state: 'failed', slot: 2, desired: 'shutdown', exitCode: 9, createdAt: '2026-01-01T00:00:03Z' });
    assert.deepEqual(readConvergence(service(1), [task({ state: 'ready', desired: 'ready' }), old, last, other]).problems, ['its process ended with exit code 3']);
    assert.deepEqual(readConvergence(service(1), [task({ state: 'assigned' }), task({ state: 'rejected', err: 'disk is full', desired: 'shutdown' })]).problems, ['disk is full']);
    assert.deepEqual(readConvergence(service(1), [task({ state: 'assigned' }), task({ state: 'shutdown', desired: 'shutdown' })]).problems, []);
  });

  it('takes the number of a global service from its status', () => {
    const global: DockerService = { ...service(0), Spec: { Name: 'web', Mode: { Global: {} }, TaskTemplate: template() }, ServiceStatus: { RunningTasks: 0, DesiredTasks: 3 } };
    assert.equal(readConvergence(global, []).desired, 3);
  });
});

/** Waits with a daemon that answers what `look` returns at each time. */
async function wait(look: (nowMs: number) => { service: DockerService; tasks: DockerTask[] }, options: { quiet?: boolean; forMs: number; terminal?: boolean; updated?: DockerService }) {
  const clock = new FakeClock();
  const client = new FakeApiClient({ 'GET /services/s1': () => look(clock.now()).service, 'GET /tasks': () => look(clock.now()).tasks });
  const context = testContext(client, { clock, ...(options.terminal ? { terminal: { stdoutIsTerminal: true, stderrIsTerminal: true, columns: 30 } } : {}) });
  let endedAtMs: number | undefined;
  const result = printed(Promise.resolve(waitForConvergence(context, 's1', { quiet: options.quiet ?? false, ...(options.updated ? { updated: options.updated } : {}) }))).then((out) => { endedAtMs = clock.now(); return out; });
  for (let step = 0; step < options.forMs && endedAtMs === undefined; step += 50) await clock.advance(50);
  assert.notEqual(endedAtMs, undefined, 'it still waits');
  return { ...await result, endedAtMs };
}

describe('waitForConvergence', () => {
  it('ends once the service has run as wanted for a second', async () => {
    const out = await wait((nowMs) => ({ service: service(1), tasks: [task({ state: nowMs < 500 ? 'starting' : 'running' })] }), { forMs: 5000 });
    assert.deepEqual([out.error, out.endedAtMs], [undefined, 1500]);
    assert.equal(out.stderr, '0 of 1 tasks run\n1 of 1 tasks run\nThe service runs as wanted (1 of 1 tasks run).\n');
    assert.equal(out.stdout, '');
  });

  it('begins the second anew when a task ends within it', async () => {
    const out = await wait((nowMs) => ({ service: service(1), tasks: [task({ state: nowMs === 800 ? 'failed' : 'running' })] }), { forMs: 5000, quiet: true });
    assert.deepEqual([out.error, out.endedAtMs, out.stderr], [undefined, 1850, '']);
  });

  it('waits for an update to end even when all tasks run', async () => {
    const out = await wait((nowMs) => ({ service: service(1, { State: nowMs < 9000 ? 'updating' : 'completed' }), tasks: [task({ state: 'running' })] }), { forMs: 20_000 });
    assert.deepEqual([out.error, out.endedAtMs], [undefined, 10_000]);
  });

  it('gives up with the reasons after six seconds without progress', async () => {
    const out = await wait(() => ({ service: service(2), tasks: [task({ state: 'running' }), task({ state: 'pending', slot: 2, message: 'no suitable node (all are full)' })] }), { forMs: 20_000 });
    assert.equal(out.endedAtMs, 6000);
    assert.ok(isOrchError(out.error, 'ORCH_NOT_CONVERGED'));
    assert.equal(out.error.message, 'Service "web" does not run as wanted: 1 of 2 tasks run (no suitable node (all are full))');
    assert.match(out.error.hint ?? '', /orch service ps web/);
  });

  it('does not give up without a reason: a large image takes its time', async () => {
    const out = await wait((nowMs) => ({ service: service(1), tasks: [task({ state: nowMs < 60_000 ? 'preparing' : 'running' })] }), { forMs: 90_000 });
    assert.deepEqual([out.error, out.endedAtMs], [undefined, 61_000]);
  });

  it('ends at once when the update is paused', async () => {
    const out = await wait(() => ({ service: service(1, { State: 'paused', Message: 'update paused due to failure' }), tasks: [] }), { forMs: 1000 });
    assert.ok(isOrchError(out.error, 'ORCH_NOT_CONVERGED'));
    assert.match(out.error.message, /its update is paused: update paused due to failure/);
  });

  it('fails when the update is rolled back, although the service then runs', async () => {
    const completed = { State: 'rollback_completed', Message: 'rollback completed' };
    const look = (nowMs: number): { service: DockerService; tasks: DockerTask[] } =>
      ({ service: service(1, nowMs < 500 ? { State: 'rollback_started', Message: 'update rolled back due to failure of task t1' } : completed), tasks: [task({ state: 'running' })] });
    const out = await wait(look, { forMs: 5000, updated: service(1) });
    assert.ok(isOrchError(out.error, 'ORCH_NOT_CONVERGED'));
    assert.equal(out.error.message, 'Service "web" runs as before its update: update rolled back due to failure of task t1');
    assert.equal((await wait(look, { forMs: 5000 })).error, undefined, 'a rollback that was asked for');
    assert.equal((await wait(() => ({ service: service(1, completed), tasks: [task({ state: 'running' })] }), { forMs: 5000, updated: service(1, completed) })).error, undefined, 'one from before the update');
  });

  it('keeps to one line on a terminal, no wider than it', async () => {
    const out = await wait(() => ({ service: service(1), tasks: [task({ state: 'pending', message: 'no suitable node (every node is full)' })] }), { forMs: 10_000, terminal: true });
    assert.equal(out.stderr, '\r\u001B[K0 of 1 tasks run; no suitabl…');
  });
});
