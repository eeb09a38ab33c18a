import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { Random } from '../../base/random.ts';
import { errorMessage, OrchError } from '../../model/errors.ts';
import type { LogQuery, LogRecord } from '../../model/log-record.ts';
import type { NodeId, ServiceId, TaskId } from '../../model/meta.ts';
import { nodeName } from '../../model/node.ts';
import { taskStateRank, type Task } from '../../model/task.ts';
import type { ManagerMessage, Peer } from '../../proto/session-messages.ts';
import type { Change, Store } from '../../store/store.ts';
import { mergeByTime } from './log-merge.ts';
import { RecordQueue } from './record-queue.ts';

export type LogBrokerOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Sends to a node's agent; false when it has no session. */
  readonly send: (nodeId: NodeId, message: ManagerMessage) => boolean;
};

export type TaskLogRecord = LogRecord & { readonly task: Task };

export type TaskLogOptions = {
  readonly signal: AbortSignal;
  onUnavailable(task: Task, reason: string): void;
  readonly serviceId?: ServiceId;
};

/** Records that one agent may be ahead of the reader. */
const QUEUE_CAPACITY = 1_000;
/** An agent that has not begun to send by then never will. */
const ANSWER_MS = 10_000;

type Subscription = { readonly id: string; readonly nodeId: NodeId; readonly task: Task; readonly queue: RecordQueue<TaskLogRecord>; answered: boolean; unavailable(reason: string): void };

/** Brings the logs of tasks from their nodes to whoever reads them: asks each agent over its session, and takes what the agent then sends. */
export class LogBroker {
  readonly #options: LogBrokerOptions;
  readonly #subscriptions = new Map<string, Subscription>();

  constructor(options: LogBrokerOptions) { this.#options = options; }

  /** See ControlPlane.taskLogs. */
  async *taskLogs(taskIds: readonly TaskId[], query: LogQuery, options: TaskLogOptions): AsyncIterable<TaskLogRecord> {
    const reading = new AbortController();
    const signal = AbortSignal.any([options.signal, reading.signal]);
    const own = new Map<TaskId, Subscription>();
    const cancelAll = (): void => { for (const subscription of own.values()) this.#cancel(subscription); };
    options.signal.addEventListener('abort', cancelAll, { once: true });
    try {
      const tasks = this.#options.store.view((view) => taskIds.map((id) => view.task.get(id)).filter((task) => task !== undefined));
      if (query.follow) yield* this.#follow(tasks, query, { ...options, signal, own });
      else yield* mergeByTime(tasks.filter(hasLog).map((task) => this.#subscribe(task, query, { ...options, signal, own }).queue));
      options.signal.throwIfAborted();
    } finally {
      reading.abort(new Error('the reader is gone'));
      options.signal.removeEventListener('abort', cancelAll);
      cancelAll();
    }
  }

  /** See NodePlane.receiveLogs. */
  async receiveLogs(peer: Peer, subscriptionId: string, records: AsyncIterable<LogRecord>): Promise<void> {
    const subscription = this.#subscriptions.get(subscriptionId);
    if (subscription?.nodeId !== peer.nodeId) {
      throw new OrchError('ORCH_NOT_FOUND', `Node ${peer.nodeId} has no log subscription ${subscriptionId}`, { hint: 'Its reader may be gone' });
    }
    subscription.answered = true;
    try {
      for await (const record of records) {
        await subscription.queue.push({ ...record, task: subscription.task });
        if (subscription.queue.ended) break;
      }
    } catch (error) {
      subscription.unavailable(errorMessage(error));
      throw error;
    } finally {
      this.#end(subscription);
    }
  }

  /** To be called when a node's session has ended: what it was asked for and has not begun to send will not come. */
  sessionEnded(nodeId: NodeId): void {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.nodeId !== nodeId || subscription.answered) continue;
      subscription.unavailable('its node lost the connection');
      this.#end(subscription);
    }
  }

  async *#follow(tasks: readonly Task[], query: LogQuery, options: ReadOptions): AsyncIterable<TaskLogRecord> {
    const shared = new RecordQueue<TaskLogRecord>(QUEUE_CAPACITY);
    const awaited = new Set(tasks.filter((task) => !hasLog(task)).map((task) => task.id));
    const endIfDone = (): void => { if (options.serviceId === undefined && options.own.size === 0 && awaited.size === 0) shared.end(); };
    const read = (task: Task, from: LogQuery): void => {
      awaited.delete(task.id);
      const { queue } = this.#subscribe(task, from, options);
      this.#pipe(queue, shared).then(() => {
        options.own.delete(task.id);
        endIfDone();
      }, () => { /* queues never reject */ });
    };
    using _ = this.#options.store.subscribe(({ changes }) => {
      for (const change of changes) {
        if (isServiceGone(change, options.serviceId)) shared.end();
        const started = startedTask(change);
        if (started && (awaited.has(started.id) || started.serviceId === options.serviceId)) read(started, { ...query, tail: Infinity });
        if (isTaskGone(change) && awaited.delete(change.id)) endIfDone();
      }
    });
    options.signal.addEventListener('abort', () => shared.end(), { once: true });
    for (const task of tasks.filter(hasLog)) read(task, query);
    endIfDone();
    for (let record = await shared.take(); record; record = await shared.take()) yield record;
  }

  async #pipe(from: RecordQueue<TaskLogRecord>, to: RecordQueue<TaskLogRecord>): Promise<void> {
    for (let record = await from.take(); record; record = await from.take()) await to.push(record);
  }

  /** Asks the task's node for its log; the queue ends at the log's end, or at once when the node can't be asked. */
  #subscribe(task: Task, query: LogQuery, options: ReadOptions): Subscription {
    const { store, random, send, clock } = this.#options;
    const nodeId = task.nodeId ?? '';
    const subscription: Subscription = {
      id: newId(random), nodeId, task, queue: new RecordQueue<TaskLogRecord>(QUEUE_CAPACITY), answered: false,
      unavailable: (reason) => options.onUnavailable(task, reason),
    };
    options.own.set(task.id, subscription);
    this.#subscriptions.set(subscription.id, subscription);
    if (!send(nodeId, { type: 'log-subscription', id: subscription.id, taskId: task.id, query })) {
      const node = store.view((view) => view.node.get(nodeId));
      subscription.unavailable(node ? `node ${nodeName(node)} is ${node.status.state === 'ready' ? 'not connected' : node.status.state}` : `node ${nodeId} is not in the cluster any more`);
      this.#end(subscription);
      return subscription;
    }
    clock.sleep(ANSWER_MS, options.signal).then(() => this.#giveUp(subscription), () => { /* the reader is gone */ });
    return subscription;
  }

  #giveUp(subscription: Subscription): void {
    if (subscription.answered || subscription.queue.ended) return;
    subscription.unavailable('its node did not answer');
    this.#cancel(subscription);
  }

  #cancel(subscription: Subscription): void {
    if (this.#subscriptions.has(subscription.id)) this.#options.send(subscription.nodeId, { type: 'log-cancel', id: subscription.id });
    this.#end(subscription);
  }

  #end(subscription: Subscription): void {
    this.#subscriptions.delete(subscription.id);
    subscription.queue.end();
  }
}

type ReadOptions = TaskLogOptions & { /** Subscriptions of this reader. */ readonly own: Map<TaskId, Subscription> };

/** True once the task's process may have written something. */
const hasLog = (task: Task): boolean => task.nodeId !== undefined && (task.status.container !== undefined || taskStateRank(task.status.state) >= taskStateRank('starting'));

/** The task when this change is the one that gives it a log. */
const startedTask = (change: Change): Task | undefined =>
  change.kind === 'task' && change.after && hasLog(change.after) && !(change.before && hasLog(change.before)) ? change.after : undefined;

const isTaskGone = (change: Change): boolean => change.kind === 'task' && change.after === undefined;

const isServiceGone = (change: Change, serviceId: ServiceId | undefined): boolean => change.kind === 'service' && change.after === undefined && change.id === serviceId;
