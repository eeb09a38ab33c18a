import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { desiredStates, isEnded, taskStateRank, type TaskState } from '../model/task.ts';
import { planTaskStep, statusAfterError, type TaskAction, type TaskFacts } from './plan-task-step.ts';

const facts = (overrides: Partial<TaskFacts> = {}): TaskFacts => ({
  desired: 'running', removed: false, status: { state: 'assigned', message: '' }, revisionKnown: true, container: undefined, imagePresent: false, network: 'detached',
  networkReady: true, publishesPorts: false, portsLeaving: false, ...overrides,
});

/** What a step makes of the facts when all goes well. */
function after(before: TaskFacts): TaskFacts {
  const { status, action } = planTaskStep(before);
  const next = status ? { ...before, status: { state: status.state, message: status.message } } : before;
  const effects: Readonly<Record<TaskAction, Partial<TaskFacts>>> = {
    pull: { imagePresent: true }, attach: { network: 'attached' }, create: { container: { state: 'created', oomKilled: false } }, start: { container: { state: 'running', oomKilled: false } },
    stop: { container: { state: 'exited', exitCode: 143, oomKilled: false } }, detach: { network: 'detached' }, 'remove-container': { container: undefined }, forget: {},
  };
  return action ? { ...next, ...effects[action] } : next;
}

/** Steps from `start` until there is nothing to do, as `state` and `!action`. */
function path(start: TaskFacts): string[] {
  const taken: string[] = [];
  for (let current = start; taken.length < 20; current = after(current)) {
    const { status, action } = planTaskStep(current);
    if (!status && !action) return taken;
    if (status) taken.push(status.error ? `${status.state}: ${status.error}` : status.state);
    if (action) taken.push(`!${action}`);
    if (action === 'forget') return taken;
  }
  throw new Error(`no end: ${taken.join(' ')}`);
}

const running = { state: 'running', oomKilled: false } as const;
const exited = (exitCode: number | undefined): TaskFacts['container'] => ({ state: 'exited', oomKilled: false, ...(exitCode === undefined ? {} : { exitCode }) });

describe('the steps of a task', () => {
  it('lead from assignment to running', () => {
    assert.deepEqual(path(facts()), ['accepted', 'preparing', '!pull', '!attach', '!create', 'ready', 'starting', '!start', 'running']);
  });

  it('stop at ready when no more is wanted', () => {
    assert.deepEqual(path(facts({ desired: 'ready', imagePresent: true })), ['accepted', 'preparing', '!attach', '!create', 'ready']);
  });

  it('take network and container late when the task binds ports of the node', () => {
    assert.deepEqual(path(facts({ publishesPorts: true })), ['accepted', 'preparing', '!pull', 'ready', 'starting', '!attach', '!create', '!start', 'running']);
  });

  it('go round the network in host mode', () => assert.deepEqual(path(facts({ network: 'host', imagePresent: true })), ['accepted', 'preparing', '!create', 'ready', 'starting', '!start', 'running']));

  it('shut down from anywhere', () => {
    assert.deepEqual(path(facts({ desired: 'shutdown' })), ['shutdown']);
    assert.deepEqual(path(facts({ desired: 'shutdown', status: { state: 'preparing', message: '' }, network: 'attached' })), ['!detach', 'shutdown']);
    assert.deepEqual(path(facts({ desired: 'remove', status: { state: 'running', message: '' }, container: running, network: 'attached' })), ['!stop', 'shutdown', '!detach']);
  });

  it('give ports back before the end is told', () => {
    assert.deepEqual(path(facts({ publishesPorts: true, status: { state: 'running', message: '' }, container: exited(0), network: 'attached' })), ['!detach', 'complete']);
    assert.deepEqual(path(facts({ status: { state: 'running', message: '' }, container: exited(0), network: 'attached' })), ['complete', '!detach']);
  });

  it('remove everything of a deleted task', () => {
    assert.deepEqual(path(facts({ removed: true, status: { state: 'running', message: '' }, container: running, network: 'attached' })), ['!stop', '!remove-container', '!detach', '!forget']);
    assert.deepEqual(path(facts({ removed: true })), ['!forget']);
  });

  it('take up what an interrupted agent left', () => {
    const at = (state: TaskState, overrides: Partial<TaskFacts>): string[] => path(facts({ status: { state, message: '' }, imagePresent: true, ...overrides }));
    assert.deepEqual(at('preparing', { network: 'attached', container: { state: 'created', oomKilled: false } }), ['ready', 'starting', '!start', 'running']);
    assert.deepEqual(at('ready', { network: 'attached', container: running }), ['running']);
    assert.deepEqual(at('starting', { network: 'attached', container: exited(1) }), ['failed: task: non-zero exit (1)', '!detach']);
    assert.deepEqual(at('running', { container: undefined }), ['failed: task: its container is gone']);
    assert.deepEqual(at('running', { container: exited(undefined) }), ['failed: task: ended, exit code unknown']);
  });

  it('wait for the subnet, the ports and the revision, and say so once', () => {
    const preparing = { state: 'preparing', message: '' } as const;
    assert.deepEqual(planTaskStep(facts({ status: preparing, imagePresent: true, networkReady: false })), { status: { state: 'preparing', message: 'waiting for the node\'s network' } });
    assert.deepEqual(planTaskStep(facts({ status: { ...preparing, message: 'waiting for the node\'s network' }, imagePresent: true, networkReady: false })), {});
    assert.equal(planTaskStep(facts({ status: { state: 'starting', message: '' }, imagePresent: true, publishesPorts: true, portsLeaving: true })).status?.message, 'waiting for a port that another task is giving back');
    assert.equal(planTaskStep(facts({ revisionKnown: false })).status?.message, 'waiting for the service\'s revision');
  });

  it('end in rejected before the start and in failed after it', () => {
    assert.equal(statusAfterError({ state: 'preparing', message: 'm' }, 'e').state, 'rejected');
    assert.deepEqual(statusAfterError({ state: 'starting', message: 'm' }, 'e', 127), { state: 'failed', message: 'm', error: 'e', exitCode: 127 });
  });
});

describe('the steps of a task, from whatever there is', () => {
  const anyFacts: fc.Arbitrary<TaskFacts> = fc.record({
    desired: fc.constantFrom(...desiredStates), removed: fc.boolean(), revisionKnown: fc.boolean(), imagePresent: fc.boolean(), networkReady: fc.boolean(), publishesPorts: fc.boolean(), portsLeaving: fc.boolean(),
    status: fc.record({ state: fc.constantFrom<TaskState>('assigned', 'accepted', 'preparing', 'ready', 'starting', 'running', 'complete', 'failed', 'rejected', 'shutdown'), message: fc.constant('') }),
    container: fc.constantFrom(undefined, { state: 'created' as const, oomKilled: false }, running, exited(0), exited(1), exited(undefined)),
    network: fc.constantFrom('host' as const, 'attached' as const, 'detached' as const),
  });

  it('come to an end where there is nothing more to do', () => fc.assert(fc.property(anyFacts, (start) => { path(start); })));

  it('never move the status back, and never past an end', () => fc.assert(fc.property(anyFacts, (start) => {
    for (let current = start, next = after(start), count = 0; count < 20; current = next, next = after(next), count += 1) {
      assert.ok(taskStateRank(next.status.state) >= taskStateRank(current.status.state));
      if (isEnded(current.status.state)) assert.equal(next.status.state, current.status.state);
    }
  })));

  it('start nothing that is not wanted to run', () => fc.assert(fc.property(anyFacts, (start) => {
    const wanted = !start.removed && (start.desired === 'running' || start.desired === 'complete') && !isEnded(start.status.state);
    if (!wanted && start.status.state !== 'starting') assert.ok(!path(start).includes('!start'));
  })));
});
