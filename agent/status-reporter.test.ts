import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLog } from '../base/log.ts';
import type { TaskState, TaskStatus } from '../model/task.ts';
import type { AgentMessage } from '../proto/session-messages.ts';
import { StatusReporter } from './status-reporter.ts';

const status = (state: TaskState): TaskStatus => ({ state, atMs: 0, message: '' });

/** A reporter and what it has sent, as `sequence: task state, ...`. */
function setUp(persist: () => void = () => {}): { clock: FakeClock; reporter: StatusReporter; sent: string[]; send: (message: AgentMessage) => void } {
  const clock = new FakeClock();
  const sent: string[] = [];
  const send = (message: AgentMessage): void => {
    if (message.type === 'status') sent.push(`${message.sequence}: ${message.reports.map((report) => `${report.taskId} ${report.status.state}`).join(', ')}`);
  };
  return { clock, sent, send, reporter: new StatusReporter({ clock, log: silentLog, persist }) };
}

describe('StatusReporter', () => {
  it('gathers changes and sends the newest of each task', async () => {
    const { clock, reporter, sent, send } = setUp();
    reporter.begin(send, []);
    reporter.report('a', status('preparing'));
    reporter.report('b', status('running'));
    reporter.report('a', status('running'));
    await clock.advance(4);
    assert.deepEqual(sent, []);
    await clock.advance(1);
    assert.deepEqual(sent, ['1: a running, b running']);
  });

  it('sends one message at a time', async () => {
    const { clock, reporter, sent, send } = setUp();
    reporter.begin(send, [['a', status('running')]]);
    await clock.advance(5);
    reporter.report('a', status('failed'));
    await clock.advance(1_000);
    assert.equal(sent.length, 1);
    reporter.accept(7);
    await clock.advance(1_000);
    assert.equal(sent.length, 1);
    reporter.accept(1);
    await clock.advance(5);
    assert.deepEqual(sent, ['1: a running', '2: a failed']);
  });

  it('sends in the next session what the last one did not accept, unless there is newer', async () => {
    const { clock, reporter, sent, send } = setUp();
    reporter.begin(send, [['a', status('running')], ['b', status('running')]]);
    await clock.advance(5);
    reporter.report('a', status('failed'));
    reporter.end();
    reporter.begin(send, []);
    await clock.advance(5);
    assert.deepEqual(sent, ['1: a running, b running', '1: a failed, b running']);
  });
});

describe('StatusReporter, told to be silent', () => {
  it('keeps states to itself that agents do not write, and tasks that are forgotten', async () => {
    const { clock, reporter, sent, send } = setUp();
    reporter.begin(send, [['a', status('assigned')], ['b', status('orphaned')], ['c', status('running')], ['d', status('running')]]);
    reporter.forget('c');
    await clock.advance(5);
    assert.deepEqual(sent, ['1: d running']);
  });

  it('reports nothing that is not durable', async () => {
    let isFull = true;
    const { clock, reporter, sent, send } = setUp(() => { if (isFull) throw new Error('disk full'); });
    reporter.begin(send, [['a', status('running')]]);
    await clock.advance(900);
    assert.deepEqual(sent, []);
    isFull = false;
    await clock.advance(200);
    assert.deepEqual(sent, ['1: a running']);
  });

  it('is silent without a session', async () => {
    const { clock, reporter, sent } = setUp();
    reporter.report('a', status('running'));
    await clock.advance(1_000);
    assert.deepEqual(sent, []);
  });
});
