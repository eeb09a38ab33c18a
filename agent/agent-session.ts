import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { assertNever, errorMessage, OrchError } from '../model/errors.ts';
import type { Assignments } from '../model/assignment.ts';
import type { TaskId } from '../model/meta.ts';
import type { NodeDescription } from '../model/node.ts';
import type { TaskStatus } from '../model/task.ts';
import type { ManagerMessage } from '../proto/session-messages.ts';
import type { ContainerEngine } from '../runtime/engine.ts';
import { Heartbeat } from './heartbeat.ts';
import type { AgentLink, AgentSession } from './link.ts';
import { LogPublisher } from './log-publisher.ts';
import type { StatusReporter } from './status-reporter.ts';

/** What a session asks of the agent that holds it. */
export type SessionHost = {
  readonly engine: ContainerEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly reporter: StatusReporter;
  readonly describe: () => NodeDescription;
  readonly isAssigned: (taskId: TaskId) => boolean;
  readonly statuses: () => Iterable<readonly [TaskId, TaskStatus]>;
  /** Throws when the assignments don't fit what is held: the session ends. */
  readonly assign: (assignments: Assignments) => void;
  readonly setBridgeSubnet: (subnet: string) => void;
};

type Welcome = Extract<ManagerMessage, { type: 'welcome' }>;

/** One conversation with a manager. */
export class ManagedSession implements AgentSession {
  readonly #host: SessionHost;
  readonly #link: AgentLink;
  readonly #logs: LogPublisher;
  readonly #abort = new AbortController();
  #heartbeat: Heartbeat | undefined;
  #description: string;

  constructor(link: AgentLink, host: SessionHost) {
    this.#host = host;
    this.#link = link;
    this.#logs = new LogPublisher(link, host);
    this.#description = JSON.stringify(host.describe());
  }

  receive(message: ManagerMessage): void {
    if (this.#abort.signal.aborted) return;
    try {
      this.#receive(message);
    } catch (error) {
      this.#host.log.warn({ type: message.type, error: errorMessage(error) }, 'the session with the manager begins anew');
      this.end(error instanceof Error ? error : new Error(errorMessage(error)));
    }
  }

  closed(error: Error | undefined): void {
    if (error) this.#host.log.info({ error: errorMessage(error) }, 'the session with the manager has ended');
    this.#stop();
  }

  /** Ends the session from this side. */
  end(error?: Error): void {
    this.#stop();
    this.#link.close(error);
  }

  /** Ends the session in good order: the node is coming back. */
  leave(): void {
    if (this.#abort.signal.aborted) return;
    this.#stop();
    this.#link.send({ type: 'goodbye', forGood: false });
    this.#link.close();
  }

  #stop(): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(new Error('the session is over'));
    this.#logs[Symbol.dispose]();
    this.#host.reporter.end();
  }

  #receive(message: ManagerMessage): void {
    const { reporter } = this.#host;
    if (message.type === 'welcome') return this.#greet(message);
    if (!this.#heartbeat) throw new OrchError('ORCH_INVALID', `The manager sent ${message.type} before its welcome`);
    switch (message.type) {
      case 'heartbeat-ack': return this.#heartbeat.setPeriod(message.heartbeatPeriodMs);
      case 'assignments': return this.#host.assign(message.assignments);
      case 'status-accepted': return reporter.accept(message.sequence);
      case 'log-subscription': return this.#logs.subscribe(message);
      case 'log-cancel': return this.#logs.cancel(message.id);
      case 'renew-now': return; // the connection renews the certificate before it hands this on
      default: return assertNever(message);
    }
  }

  #greet({ heartbeatPeriodMs, bridgeSubnet }: Welcome): void {
    const { clock, reporter, statuses } = this.#host;
    if (this.#heartbeat) return this.#heartbeat.setPeriod(heartbeatPeriodMs);
    this.#heartbeat = new Heartbeat(heartbeatPeriodMs);
    void this.#heartbeat.run(clock, () => this.#beat(), this.#abort.signal);
    if (bridgeSubnet !== '') this.#host.setBridgeSubnet(bridgeSubnet);
    reporter.begin((message) => this.#link.send(message), statuses());
  }

  /** A changed description (a new hostname, more memory) goes along. */
  #beat(): void {
    this.#link.send({ type: 'heartbeat' });
    const description = this.#host.describe();
    const text = JSON.stringify(description);
    if (text === this.#description) return;
    this.#description = text;
    this.#link.send({ type: 'description', description });
  }
}
