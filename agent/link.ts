import type { LogRecord } from '../model/log-record.ts';
import type { AgentMessage, ManagerMessage } from '../proto/session-messages.ts';

/** One session's stream to a manager, as the agent uses it; `agent/connection/` makes one for every stream it opens. */
export interface AgentLink {
  /** Sends one message in order; never throws. After the stream has ended messages are dropped: the agent says everything again in its next session. */
  send(message: AgentMessage): void;
  /** Streams the records of one log subscription; resolves when the manager has them all. Rejects when the manager wants no more or the connection is gone. An error thrown by `records` is told to the manager. */
  publishLogs(subscriptionId: string, records: AsyncIterable<LogRecord>): Promise<void>;
  /** Ends the stream (with an error: the agent cannot go on with it); the connection then dials again. Harmless when it has ended. */
  close(error?: Error): void;
}

/** The agent's end of one session. */
export interface AgentSession {
  /** Called for every message of the manager, in order; never throws. */
  receive(message: ManagerMessage): void;
  /** The stream is gone; `error` undefined when it ended in order. Called once. */
  closed(error: Error | undefined): void;
}

/** What a connection needs of the agent behind it: one call for each new stream, after which the agent itself sends its hello as the first message. A new session replaces the one before. */
export interface SessionOpener {
  openSession(link: AgentLink): AgentSession;
}
