import type { Log } from '../base/log.ts';
import { errorMessage, OrchError } from '../model/errors.ts';
import type { LogQuery, LogRecord } from '../model/log-record.ts';
import type { ContainerId, TaskId } from '../model/meta.ts';
import type { ContainerEngine } from '../runtime/engine.ts';
import type { AgentLink } from './link.ts';
import { containerIdOf } from './task-names.ts';

export type LogSubscription = { readonly id: string; readonly taskId: TaskId; readonly query: LogQuery };

export type LogPublisherOptions = {
  readonly engine: ContainerEngine;
  readonly log: Log;
  readonly isAssigned: (taskId: TaskId) => boolean;
};

/** Sends the logs of tasks to one session's manager for as long as it wants them. */
export class LogPublisher implements Disposable {
  readonly #options: LogPublisherOptions;
  readonly #link: AgentLink;
  readonly #running = new Map<string, AbortController>();

  constructor(link: AgentLink, options: LogPublisherOptions) {
    this.#link = link;
    this.#options = options;
  }

  /** Begins to send; a subscription that is known already goes on as it is. */
  subscribe(subscription: LogSubscription): void {
    if (this.#running.has(subscription.id)) return;
    const abort = new AbortController();
    this.#running.set(subscription.id, abort);
    this.#link.publishLogs(subscription.id, this.#read(subscription, abort.signal)).catch((error: unknown) => {
      if (!abort.signal.aborted) this.#options.log.info({ taskId: subscription.taskId, error: errorMessage(error) }, 'a log was not sent to its end');
    }).finally(() => this.#running.delete(subscription.id));
  }

  cancel(id: string): void {
    this.#running.get(id)?.abort(new Error('nobody reads this log any more'));
    this.#running.delete(id);
  }

  [Symbol.dispose](): void { for (const id of this.#running.keys()) this.cancel(id); }

  async *#read({ taskId, query }: LogSubscription, signal: AbortSignal): AsyncIterable<LogRecord> {
    if (!this.#options.isAssigned(taskId)) throw new OrchError('ORCH_NOT_FOUND', `Task ${taskId} is not on this node`);
    const { engine } = this.#options;
    const containerId = containerIdOf(taskId);
    try {
      if (query.follow) await waitForContainer(engine, containerId, signal);
      else if (!engine.find(containerId)) return;
      yield* engine.logs(containerId, query, signal);
    } catch (error) {
      if (!signal.aborted) throw error; // a cancelled log just ends
    }
  }
}

/** Resolves once the container exists; rejects with the signal's reason when aborted. */
async function waitForContainer(engine: ContainerEngine, id: ContainerId, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (engine.find(id)) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  using _ = engine.subscribe(({ container }) => { if (container.id === id) resolve(); });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
