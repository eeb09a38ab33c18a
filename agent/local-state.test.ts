import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { silentLog } from '../base/log.ts';
import type { AssignedTask, Assignments } from '../model/assignment.ts';
import { isOrchError } from '../model/errors.ts';
import { revision } from '../model/testing.ts';
import { LocalState } from './local-state.ts';

const assigned = (id: string, overrides: Partial<AssignedTask> = {}): AssignedTask => ({
  id, serviceId: 's', serviceName: 'web', serviceLabels: {}, revisionId: 'r1', slot: 1, desired: 'running', status: { state: 'assigned', atMs: 0, message: '' }, ...overrides,
});
const snapshot = (tasks: readonly AssignedTask[], overrides: Partial<Assignments> = {}): Assignments => ({
  snapshot: true, epoch: 'e1', baseSequence: 0, sequence: 1, tasks, removedTaskIds: [], revisions: [revision({ id: 'r1' })], removedRevisionIds: [], ...overrides,
});
const diff = (baseSequence: number, overrides: Partial<Assignments> = {}): Assignments => snapshot([], { snapshot: false, baseSequence, sequence: baseSequence + 1, revisions: [], ...overrides });

let dataDir: string;
let state: LocalState;

function openState(): void {
  dataDir = mkdtempSync(join(tmpdir(), 'orch-state-'));
  state = new LocalState(dataDir, silentLog);
}

function reopen(): void {
  state[Symbol.dispose]();
  state = new LocalState(dataDir, silentLog);
}

function closeState(): void {
  state[Symbol.dispose]();
  rmSync(dataDir, { recursive: true });
}

describe('the agent\'s local state', () => {
  beforeEach(openState);
  afterEach(closeState);

  it('is the same after it was opened again', () => {
    state.applyAssignments(snapshot([assigned('a'), assigned('b')]));
    state.setStatus('a', { state: 'running', atMs: 5, message: 'started' });
    state.setBridgeSubnet('10.200.3.0/24');
    reopen();
    assert.deepEqual([state.epoch, state.sequence, state.bridgeSubnet], ['e1', 1, '10.200.3.0/24']);
    assert.deepEqual(state.task('a'), { assigned: assigned('a'), removed: false, status: { state: 'running', atMs: 5, message: 'started' } });
    assert.deepEqual(state.revision('r1'), revision({ id: 'r1' }));
  });

  it('has assignments in its file before anybody acts on them', () => {
    state.applyAssignments(snapshot([assigned('a')]));
    const other = new DatabaseSync(join(dataDir, 'agent.db'), { readOnly: true });
    assert.equal(other.prepare('SELECT count(*) AS count FROM task').get()?.['count'], 1);
    other.close();
  });

  it('takes a diff that follows and refuses every other, unchanged', () => {
    state.applyAssignments(snapshot([assigned('a')]));
    assert.deepEqual(state.applyAssignments(diff(1, { tasks: [assigned('b')], removedTaskIds: ['a'] })).sort(), ['a', 'b']);
    for (const wrong of [diff(1), diff(3), diff(2, { epoch: 'e2' })]) assert.throws(() => state.applyAssignments(wrong), (error) => isOrchError(error, 'ORCH_CONFLICT'));
    assert.deepEqual([state.sequence, state.task('a')?.removed, state.task('b')?.removed], [2, true, false]);
  });

  it('takes a snapshot for all there is', () => {
    state.applyAssignments(snapshot([assigned('a'), assigned('b')]));
    const touched = state.applyAssignments(snapshot([assigned('b'), assigned('c')], { epoch: 'e2', revisions: [revision({ id: 'r2' })] }));
    assert.deepEqual(touched.sort(), ['a', 'b', 'c']);
    assert.deepEqual([state.task('a')?.removed, state.task('b')?.removed, state.revision('r1'), state.revision('r2')?.id], [true, false, undefined, 'r2']);
  });

  it('keeps a deleted task until it is forgotten', () => {
    state.applyAssignments(snapshot([assigned('a')]));
    state.applyAssignments(diff(1, { removedTaskIds: ['a'], removedRevisionIds: ['r1'] }));
    reopen();
    assert.equal(state.task('a')?.removed, true);
    state.forget('a');
    reopen();
    assert.deepEqual([state.task('a'), state.revision('r1')], [undefined, undefined]);
  });

  it('never wants less than it did, and believes the manager about an end', () => {
    state.applyAssignments(snapshot([assigned('a', { desired: 'shutdown' }), assigned('b')]));
    state.setStatus('a', { state: 'running', atMs: 1, message: '' });
    state.applyAssignments(snapshot([assigned('a'), assigned('b', { status: { state: 'rejected', atMs: 0, message: '' } })]));
    assert.deepEqual([state.task('a')?.assigned.desired, state.task('a')?.status.state, state.task('b')?.status.state], ['shutdown', 'running', 'rejected']);
  });
});

describe('the file of the agent\'s local state', () => {
  beforeEach(openState);
  afterEach(closeState);

  it('writes what changed in a turn of the event loop by itself', async () => {
    state.applyAssignments(snapshot([assigned('a')]));
    state.setStatus('a', { state: 'running', atMs: 1, message: '' });
    await new Promise(setImmediate);
    const other = new DatabaseSync(join(dataDir, 'agent.db'), { readOnly: true });
    assert.match(String(other.prepare('SELECT json FROM task').get()?.['json']), /"state":"running"/);
    other.close();
  });

  it('says what to do about a file that it can\'t read', () => {
    const broken = mkdtempSync(join(tmpdir(), 'orch-state-'));
    writeFileSync(join(broken, 'agent.db'), 'no database at all'.repeat(100));
    assert.throws(() => new LocalState(broken, silentLog), (error) => isOrchError(error, 'ORCH_CORRUPT') && error.hint !== undefined);
    rmSync(join(broken, 'agent.db'));
    const newer = new DatabaseSync(join(broken, 'agent.db'));
    newer.exec('PRAGMA user_version=99');
    newer.close();
    assert.throws(() => new LocalState(broken, silentLog), (error) => isOrchError(error, 'ORCH_UNSUPPORTED'));
    rmSync(broken, { recursive: true });
  });
});
