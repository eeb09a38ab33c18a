import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { OrchError, errorMessage } from '../model/errors.ts';
import type { CommitChanges } from './backend.ts';
import { closedError } from './commit-check.ts';
import { type WorkerAnswer, type WorkerCall, type WorkerReply, type WorkerRequest, unpackError } from './sqlite-protocol.ts';
import type { WorkerOptions } from './sqlite-worker.ts';

type Pending = {
  /** Called in the order of answers, within the turn they arrive in. */
  readonly onAnswer: (answer: WorkerAnswer) => void;
  /** Called instead when the worker has gone. */
  readonly onLost: (error: Error) => void;
};

type AnswerOf<T extends WorkerAnswer['type']> = Extract<WorkerAnswer, { type: T }>;

/** The worker answers its start under this id. */
const OPENING_ID = 0;

/** The thread that owns the database, seen from the main thread: numbered requests and their answers. */
export class SqliteConnection {
  /** Resolves once the database is open, rejects with the reason why not. */
  readonly opened: Promise<AnswerOf<'opened'>>;
  /** Resolves once the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Gets the commits that the worker makes itself, in order with the answers to commits. */
  onOwnCommit: (commit: CommitChanges) => void = () => {};
  /** Called when the worker ends without having been asked to. */
  onLost: (error: Error) => void = () => {};
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #lastId = OPENING_ID;
  #isClosing = false;
  #lost: Error | undefined;

  constructor(options: WorkerOptions, clock: Clock) {
    this.#clock = clock;
    const { promise: opened, pending } = expectAnswer('opened');
    this.opened = opened;
    this.#pending.set(OPENING_ID, pending);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.ended = ended;
    this.#worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: options });
    this.#worker.on('message', (reply: WorkerReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#lose(error));
    this.#worker.on('exit', (exitCode) => {
      this.#lose(new Error(`it ended with exit code ${exitCode}`));
      end();
    });
  }

  /** Sends `call`; exactly one function of `pending` is called later. */
  request(call: WorkerCall, pending: Pending): void {
    if (this.#lost) {
      pending.onLost(this.#lost);
      return;
    }
    this.#lastId += 1;
    this.#pending.set(this.#lastId, pending);
    this.#worker.postMessage({ id: this.#lastId, nowMs: this.#clock.monotonic(), call } satisfies WorkerRequest);
  }

  /** Sends `call` and resolves with its answer; rejects with the worker's error. */
  call<T extends WorkerAnswer['type']>(call: WorkerCall, type: T): Promise<AnswerOf<T>> {
    const { promise, pending } = expectAnswer(type);
    this.request(call, pending);
    return promise;
  }

  /** Lets the worker finish what it was asked before, then ends it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.call({ type: 'close' }, 'done');
    await this.ended;
  }

  #receive({ id, own, answer }: WorkerReply): void {
    for (const commit of own) this.onOwnCommit(commit);
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.onAnswer(answer);
  }

  #lose(cause: unknown): void {
    if (this.#lost) return;
    const error = this.#isClosing ? closedError() : new OrchError('ORCH_INTERNAL', `The store's thread has stopped: ${errorMessage(cause)}`, { cause, hint: 'Restart the daemon' });
    this.#lost = error;
    for (const { onLost } of this.#pending.values()) onLost(error);
    this.#pending.clear();
    if (!this.#isClosing) this.onLost(error);
  }
}

function expectAnswer<T extends WorkerAnswer['type']>(type: T): { promise: Promise<AnswerOf<T>>; pending: Pending } {
  const { promise, resolve, reject } = Promise.withResolvers<AnswerOf<T>>();
  const onAnswer = (answer: WorkerAnswer): void => {
    if (isAnswer(answer, type)) resolve(answer);
    else reject(answer.type === 'failed' ? unpackError(answer.error) : new Error(`the store's thread answered ${answer.type}, not ${type}`));
  };
  return { promise, pending: { onAnswer, onLost: reject } };
}

const isAnswer = <T extends WorkerAnswer['type']>(answer: WorkerAnswer, type: T): answer is AnswerOf<T> => answer.type === type;
