import { Worker } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import { OrchError } from '../../model/errors.ts';
import type { FromWorker, ToWorker, UnpackRequest, UnpackResult, WorkerTask } from './unpack-protocol.ts';

const IDLE_MS = 5_000;
/** Each costs about 10 MB while it lives; more than two only fight over the disk. */
const MAX_WORKERS = 2;

type Job = {
  readonly id: number;
  readonly task: WorkerTask;
  readonly onProgress: ((readBytes: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: UnpackResult | undefined) => void;
  readonly reject: (error: unknown) => void;
};

type Member = { readonly worker: Worker; job: Job | undefined; idle: AbortController | undefined };

/** Threads that do what would block the daemon: unpacking, removing trees, waiting for the disk. Started on demand, ended after some seconds without work. */
export class UnpackPool implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #members = new Set<Member>();
  readonly #queue: Job[] = [];
  readonly #unfinished = new Set<Promise<unknown>>();
  #nextId = 1;
  #closed = false;

  constructor(options: { readonly clock: Clock }) { this.#clock = options.clock; }

  /** Unpacks a layer (see `unpackLayer`); rejects with the signal's reason once an aborted run has stopped writing. */
  async unpack(request: UnpackRequest, options: { readonly signal?: AbortSignal; readonly onProgress?: (readBytes: number) => void } = {}): Promise<UnpackResult> {
    const result = await this.#run({ kind: 'unpack', request }, options);
    if (result === undefined) throw new Error('the unpacking worker gave no result');
    return result;
  }

  /** Removes a directory and all in it; harmless when there is none. */
  async remove(directory: string): Promise<void> {
    await this.#run({ kind: 'remove', directory }, {});
  }

  /** Resolves once everything written to the file system of `directory` is on disk. */
  async sync(directory: string): Promise<void> {
    await this.#run({ kind: 'sync', directory }, {});
  }

  /** Ends the threads once they have stopped; what they had not done rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0)) job.reject(closedError());
    for (const member of this.#members) if (member.job) this.#post(member, { kind: 'cancel', id: member.job.id });
    await Promise.allSettled(this.#unfinished); // a thread cut off in the middle would leave descriptors open
    await Promise.all([...this.#members].map(({ worker, idle }) => {
      idle?.abort();
      return worker.terminate();
    }));
  }

  #run(task: WorkerTask, options: { readonly signal?: AbortSignal; readonly onProgress?: (readBytes: number) => void }): Promise<UnpackResult | undefined> {
    if (this.#closed) return Promise.reject(closedError());
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<UnpackResult | undefined>();
    const job: Job = { id: this.#nextId, task, onProgress: options.onProgress, signal: options.signal, resolve, reject };
    this.#nextId += 1;
    this.#queue.push(job);
    const cancel = (): void => this.#cancel(job);
    options.signal?.addEventListener('abort', cancel, { once: true });
    this.#assign();
    const finished = promise.finally(() => {
      options.signal?.removeEventListener('abort', cancel);
      this.#unfinished.delete(finished);
    });
    this.#unfinished.add(finished);
    return finished;
  }

  #assign(): void {
    while (this.#queue.length > 0) {
      const member = [...this.#members].find(({ job }) => job === undefined) ?? this.#start();
      const job = member && this.#queue.shift();
      if (!member || !job) return;
      member.idle?.abort();
      member.idle = undefined;
      member.job = job;
      this.#post(member, { kind: 'start', id: job.id, task: job.task });
    }
  }

  #start(): Member | undefined {
    if (this.#members.size >= MAX_WORKERS) return undefined;
    const worker = new Worker(new URL('./unpack-worker.ts', import.meta.url));
    const member: Member = { worker, job: undefined, idle: undefined };
    this.#members.add(member);
    worker.on('message', (message: FromWorker) => this.#receive(member, message));
    worker.on('error', (error) => this.#lose(member, error));
    worker.on('exit', () => this.#lose(member, closedError()));
    return member;
  }

  #receive(member: Member, message: FromWorker): void {
    const job = member.job;
    if (job === undefined || job.id !== message.id) return;
    if (message.kind === 'progress') {
      job.onProgress?.(message.readBytes);
      return;
    }
    member.job = undefined;
    if (message.kind === 'done') job.resolve(message.result);
    else if (message.kind === 'cancelled') job.reject(job.signal?.aborted ? job.signal.reason : closedError());
    else job.reject(new OrchError(message.error.code, message.error.message, { details: message.error.details, hint: message.error.hint }));
    this.#assign();
    if (member.job === undefined) this.#endWhenIdle(member);
  }

  #endWhenIdle(member: Member): void {
    const idle = new AbortController();
    member.idle = idle;
    this.#clock.sleep(IDLE_MS, idle.signal).then(() => {
      this.#members.delete(member);
      return member.worker.terminate();
    }).catch((error: unknown) => {
      if (!idle.signal.aborted) this.#lose(member, error);
    });
  }

  #cancel(job: Job): void {
    const queued = this.#queue.indexOf(job);
    if (queued >= 0) {
      this.#queue.splice(queued, 1);
      job.reject(job.signal?.reason);
      return;
    }
    for (const member of this.#members) if (member.job === job) this.#post(member, { kind: 'cancel', id: job.id });
  }

  #lose(member: Member, error: unknown): void {
    this.#members.delete(member);
    member.idle?.abort();
    member.job?.reject(error);
    member.job = undefined;
    if (!this.#closed) this.#assign();
  }

  #post(member: Member, message: ToWorker): void {
    member.worker.postMessage(message);
  }
}

const closedError = (): OrchError => new OrchError('ORCH_RUNTIME', 'The image store is closed');
