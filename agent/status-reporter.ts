import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { errorMessage } from '../model/errors.ts';
import type { TaskId } from '../model/meta.ts';
import { stateWriters, type TaskStatus } from '../model/task.ts';
import type { AgentMessage } from '../proto/session-messages.ts';

export type StatusReporterOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Makes what was observed durable; nothing is reported before. */
  persist(): void;
};

/** How long changes are gathered into one message. */
const GATHER_MS = 5;
/** Wait after `persist` failed (a full disk): a report must not be ahead of the file. */
const PERSIST_RETRY_MS = 1_000;
/** Tasks in one message at most. */
const MAX_REPORTS = 1_000;

type Session = { readonly send: (message: AgentMessage) => void; readonly abort: AbortController; sequence: number; inFlight: Map<TaskId, TaskStatus> | undefined; flushing: boolean };

/** Tells the manager the newest status of each task: only the newest, many in one message, one message at a time, again until accepted, and everything anew in a new session. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #pending = new Map<TaskId, TaskStatus>();
  #session: Session | undefined;

  constructor(options: StatusReporterOptions) { this.#options = options; }

  report(taskId: TaskId, status: TaskStatus): void {
    if (stateWriters[status.state] !== 'agent') return;
    this.#pending.set(taskId, status);
    this.#schedule();
  }

  /** The manager has deleted the task and wants to hear no more of it. */
  forget(taskId: TaskId): void { this.#pending.delete(taskId); }

  /** Begins a session by reporting all of `statuses`. */
  begin(send: (message: AgentMessage) => void, statuses: Iterable<readonly [TaskId, TaskStatus]>): void {
    this.end();
    this.#session = { send, abort: new AbortController(), sequence: 0, inFlight: undefined, flushing: false };
    for (const [taskId, status] of statuses) this.report(taskId, status);
    this.#schedule();
  }

  /** The manager has the message of this number. */
  accept(sequence: number): void {
    if (this.#session?.sequence !== sequence) return;
    this.#session.inFlight = undefined;
    this.#schedule();
  }

  /** Keeps what was not accepted for the next session. */
  end(): void {
    const session = this.#session;
    if (!session) return;
    this.#session = undefined;
    session.abort.abort(new Error('the session is over'));
    for (const [taskId, status] of session.inFlight ?? []) if (!this.#pending.has(taskId)) this.#pending.set(taskId, status);
  }

  #schedule(): void {
    const session = this.#session;
    if (!session || session.inFlight || session.flushing || this.#pending.size === 0) return;
    session.flushing = true;
    this.#flushAfter(session, GATHER_MS);
  }

  #flushAfter(session: Session, delayMs: number): void {
    this.#options.clock.sleep(delayMs, session.abort.signal).then(() => this.#flush(session), () => { /* the session is over */ });
  }

  #flush(session: Session): void {
    if (this.#session !== session) return;
    try {
      this.#options.persist();
    } catch (error) {
      this.#options.log.error({ error: errorMessage(error) }, 'statuses are not reported before they are written');
      return this.#flushAfter(session, PERSIST_RETRY_MS);
    }
    session.flushing = false;
    const batch = new Map([...this.#pending].slice(0, MAX_REPORTS));
    if (batch.size === 0) return;
    for (const taskId of batch.keys()) this.#pending.delete(taskId);
    session.inFlight = batch;
    session.sequence += 1;
    session.send({ type: 'status', sequence: session.sequence, reports: [...batch].map(([taskId, status]) => ({ taskId, status })) });
  }
}
