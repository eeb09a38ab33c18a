import type { Clock } from '../base/clock.ts';
import { OrchError, isOrchError } from '../model/errors.ts';
import type { CommitChanges, CommitResult, Condition, StoreBackend, StoreRevision } from './backend.ts';
import { closedError } from './commit-check.ts';
import { History } from './history.ts';
import type { Mirror } from './mirror.ts';
import { loadMirror, readDifference } from './read-objects.ts';
import { RevisionWaiters } from './revision-waiters.ts';
import type { ChangeBatch, Fence, Store, Tx, View } from './store.ts';
import { type Plan, Transaction } from './transaction.ts';

export type StoreOptions = {
  /** Belongs to the store from now on and is disposed with it. */
  readonly backend: StoreBackend;
  readonly clock: Clock;
  /** Called once when the mirror cannot follow the backend any more. Every call rejects from then on; the process should stop. */
  onFailure(error: Error): void;
  /** Changes kept in memory for `watch`; default 65,536. A watcher further behind ends with ORCH_CONFLICT. */
  readonly historyLimit?: number;
};

/** Runs of one `write` function that lost to other writers, before `update` gives up. */
const MAX_ATTEMPTS = 100;

/** Loads everything into memory and follows the backend until disposed. */
export async function openStore(options: StoreOptions): Promise<Store> {
  return new MirroredStore(options, await loadMirror(options.backend));
}

type Attempt<T> = { readonly ok: true; readonly result: T } | { readonly ok: false; readonly failed: Condition };

class MirroredStore implements Store {
  readonly #backend: StoreBackend;
  readonly #options: StoreOptions;
  readonly #mirror: Mirror;
  readonly #history: History;
  readonly #visible: RevisionWaiters;
  readonly #abort = new AbortController();
  readonly #following: Promise<void>;
  #listeners: readonly ((batch: ChangeBatch) => void)[] = [];
  #failure: Error | undefined;
  /** The retry that runs last: those who lost a race repeat one after the other, or they would only disturb each other again. */
  #lastRetry: Promise<unknown> = Promise.resolve();

  constructor(options: StoreOptions, mirror: Mirror) {
    this.#backend = options.backend;
    this.#options = options;
    this.#mirror = mirror;
    this.#history = new History(mirror.at, options.historyLimit);
    this.#visible = new RevisionWaiters(mirror.at.revision);
    this.#following = this.#follow();
  }

  get revision(): StoreRevision { return this.#mirror.at; }

  view<T>(read: (view: View) => T): T { return read(this.#mirror.view); }

  async update<T>(write: (tx: Tx) => T, options: { fence?: Fence } = {}): Promise<T> {
    const attempt = await this.#attempt(write, options.fence);
    if (attempt.ok) return attempt.result;
    const retry = this.#lastRetry.then(() => this.#retry(write, options.fence, attempt.failed));
    this.#lastRetry = retry.catch(() => { /* belongs to the caller of this update */ });
    return retry;
  }

  subscribe(listener: (batch: ChangeBatch) => void): Disposable {
    const own = (batch: ChangeBatch): void => listener(batch);
    this.#listeners = [...this.#listeners, own];
    return { [Symbol.dispose]: () => { this.#listeners = this.#listeners.filter((other) => other !== own); } };
  }

  watch({ from, signal }: { from?: StoreRevision; signal: AbortSignal }): AsyncIterable<ChangeBatch> {
    return this.#history.watch(from, signal);
  }

  campaign(fence: Fence, ttlMs: number): Promise<boolean> { return this.#backend.campaign(fence.key, fence.holder, ttlMs); }

  resign(fence: Fence): Promise<void> { return this.#backend.resign(fence.key, fence.holder); }

  async compact(revision: number): Promise<void> {
    await this.#backend.compact(revision);
    this.#history.compact(revision);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#failure ??= closedError();
    this.#abort.abort(this.#failure);
    await this.#following;
    this.#history.end();
    this.#visible.fail(this.#failure);
    await this.#backend[Symbol.asyncDispose]();
  }

  async #retry<T>(write: (tx: Tx) => T, fence: Fence | undefined, lost: Condition): Promise<T> {
    let failed = lost;
    for (let attempts = 1; attempts < MAX_ATTEMPTS; attempts += 1) {
      await this.#catchUp(failed.key);
      const attempt = await this.#attempt(write, fence);
      if (attempt.ok) return attempt.result;
      failed = attempt.failed;
    }
    throw new OrchError('ORCH_CONFLICT', `Key "${failed.key}" was changed by others in ${MAX_ATTEMPTS} attempts to write it`, { hint: 'Try again' });
  }

  async #attempt<T>(write: (tx: Tx) => T, fence: Fence | undefined): Promise<Attempt<T>> {
    if (this.#failure) throw this.#failure;
    const transaction = new Transaction(this.#mirror, this.#options.clock.now());
    const result = write(transaction.tx);
    const plan = transaction.plan(fence);
    if (plan.operations.length === 0) return { ok: true, result };
    const outcome = await this.#commit(plan);
    if (outcome.ok) return { ok: true, result };
    if (fence && outcome.failed.type === 'equals' && outcome.failed.key === fence.key) throw fenceError(fence);
    return outcome;
  }

  async #commit({ operations, conditions, written }: Plan): Promise<CommitResult> {
    for (const [key, object] of written) this.#mirror.expect(key, object);
    try {
      const outcome = await this.#backend.commit(operations, conditions);
      if (outcome.ok) await this.#visible.wait(outcome.revision);
      return outcome;
    } finally {
      for (const [key, object] of written) this.#mirror.forget(key, object);
    }
  }

  /** Waits until the mirror has seen whatever made a condition on `key` fail. */
  async #catchUp(key: string): Promise<void> {
    const { revision } = await this.#backend.range(key, { limit: 1 });
    await this.#visible.wait(revision);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        for await (const commit of this.#backend.watch(this.#mirror.at.revision, signal)) this.#apply(commit);
        if (!signal.aborted) throw closedError();
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  /** History that we still needed was compacted: read the current state instead. Anything else is the end. */
  async #recover(error: unknown): Promise<void> {
    if (!isOrchError(error, 'ORCH_CONFLICT')) {
      this.#fail(error);
      return;
    }
    try {
      this.#apply(await readDifference(this.#backend, this.#mirror));
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #apply(commit: CommitChanges): void {
    try {
      const batch = this.#mirror.apply(commit);
      this.#history.append(batch);
      if (batch.changes.length > 0) for (const listener of this.#listeners) listener(batch);
      this.#visible.reach(commit.revision);
    } catch (error) {
      this.#fail(error); // an object that cannot be read, or a listener that threw
    }
  }

  #fail(cause: unknown): void {
    if (this.#abort.signal.aborted) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#failure = error;
    this.#abort.abort(error);
    this.#history.end(error);
    this.#visible.fail(error);
    this.#options.onFailure(error);
  }
}

const fenceError = ({ key, holder }: Fence): OrchError =>
  new OrchError('ORCH_CONFLICT', `${holder} does not hold the leadership key "${key}"`, { hint: 'Another manager leads; its writes count', details: { key, holder } });
