import { OrchError } from '../../model/errors.ts';
import type { TaskId } from '../../model/meta.ts';
import type { AgentMessage, ManagerMessage, Peer, SessionChannel, SessionHandler, TaskReport } from '../../proto/session-messages.ts';
import type { View } from '../../store/store.ts';
import { AssignmentSet } from './assignment-set.ts';

export type Hello = Extract<AgentMessage, { type: 'hello' }>;

/** What a session tells the dispatcher that holds it. */
export type SessionEvents = {
  /** The first message; the session sends nothing before it. */
  hello(session: Session, hello: Hello): void;
  /** Any message after the first. */
  heard(session: Session): void;
  heartbeat(session: Session): void;
  description(session: Session, description: Hello['description']): void;
  /** Throws ORCH_FORBIDDEN for reports that are not the node's; resolves once they are durable. */
  reports(session: Session, reports: readonly TaskReport[]): Promise<void>;
  goodbye(session: Session, forGood: boolean): void;
  /** The stream ended without a goodbye. */
  broken(session: Session): void;
};

/** One agent's stream: the order of its messages, and what its agent has been told. */
export class Session implements SessionHandler {
  readonly peer: Peer;
  readonly #channel: SessionChannel;
  readonly #events: SessionEvents;
  readonly #assignments: AssignmentSet;
  readonly #changed = new Set<TaskId>();
  #state: 'opened' | 'greeted' | 'over' = 'opened';

  constructor(peer: Peer, channel: SessionChannel, { events, epoch }: { readonly events: SessionEvents; readonly epoch: string }) {
    this.peer = peer;
    this.#channel = channel;
    this.#events = events;
    this.#assignments = new AssignmentSet(peer.nodeId, epoch);
  }

  receive(message: AgentMessage): void {
    if (this.#state === 'over') return;
    if ((message.type === 'hello') !== (this.#state === 'opened')) {
      throw new OrchError('ORCH_INVALID', `Node ${this.peer.nodeId} must begin its session with hello, and say it once`);
    }
    if (message.type === 'hello') {
      this.#state = 'greeted';
      this.#events.hello(this, message);
      return;
    }
    this.#events.heard(this);
    this.#receiveGreeted(message);
  }

  closed(): void {
    const wasGreeted = this.#state === 'greeted';
    this.#state = 'over';
    if (wasGreeted) this.#events.broken(this);
  }

  /** Does nothing once the session is over. */
  send(message: ManagerMessage): void {
    if (this.#state !== 'over') this.#channel.send(message);
  }

  /** Ends the session; nobody hears of it again. */
  end(error?: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#channel.close(error);
  }

  /** Sends everything the node has to do. */
  sendSnapshot(view: View): void { this.send({ type: 'assignments', assignments: this.#assignments.snapshot(view) }); }

  /** Remembers that the agent may have to hear of this task. */
  markChanged(taskId: TaskId): void { this.#changed.add(taskId); }

  /** Sends what has changed since the last message. */
  sendChanges(view: View): void {
    const taskIds = [...this.#changed];
    this.#changed.clear();
    for (const assignments of this.#assignments.diffs(view, taskIds)) this.send({ type: 'assignments', assignments });
  }

  #receiveGreeted(message: Exclude<AgentMessage, Hello>): void {
    switch (message.type) {
      case 'heartbeat': return this.#events.heartbeat(this);
      case 'description': return this.#events.description(this, message.description);
      case 'status': return this.#receiveStatus(message);
      case 'goodbye':
        this.#events.goodbye(this, message.forGood);
        return this.end();
    }
  }

  /** A report that could not be stored ends the session: the agent repeats everything in its next one. */
  #receiveStatus({ sequence, reports }: Extract<AgentMessage, { type: 'status' }>): void {
    this.#events.reports(this, reports).then(
      () => this.send({ type: 'status-accepted', sequence }),
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(cause: unknown): void {
    if (this.#state === 'over') return;
    this.end(cause instanceof Error ? cause : new Error(String(cause)));
    this.#events.broken(this);
  }
}
