import { OrchError } from '../model/errors.ts';
import type { StoreRevision } from './backend.ts';
import { compactedError } from './commit-check.ts';
import type { ChangeBatch } from './store.ts';

/** Changes kept in memory for watchers; one that falls further behind must list again. */
const CHANGE_LIMIT = 65_536;

const dropped: ChangeBatch = { revision: { epoch: 0, revision: 0 }, changes: [] };

/** The latest batches. Watchers are positions in it, so a slow one costs nothing. */
export class History {
  readonly #limit: number;
  #batches: ChangeBatch[] = [];
  /** Batches before this position are dropped already; the array is cut now and then. */
  #first = 0;
  #changeCount = 0;
  #compacted: number;
  #at: StoreRevision;
  #ended = false;
  #failure: Error | undefined;
  #next: PromiseWithResolvers<void> | undefined;

  constructor(at: StoreRevision, limit = CHANGE_LIMIT) {
    this.#at = at;
    this.#compacted = at.revision;
    this.#limit = limit;
  }

  /** Adds the batch of a revision later than all before. */
  append(batch: ChangeBatch): void {
    this.#at = batch.revision;
    this.#batches.push(batch);
    this.#changeCount += batch.changes.length;
    while (this.#changeCount > this.#limit && this.#batches.length - this.#first > 1) this.#dropFirst();
    if (this.#first > 1024 && this.#first * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#first);
      this.#first = 0;
    }
    this.#wake();
  }

  /** Forgets batches at and before `revision`. */
  compact(revision: number): void {
    for (let batch = this.#batches[this.#first]; batch && batch.revision.revision <= revision; batch = this.#batches[this.#first]) this.#dropFirst();
    this.#compacted = Math.max(this.#compacted, revision);
  }

  /** Ends every watch; with `failure` when one is given. */
  end(failure?: Error): void {
    this.#ended = true;
    this.#failure = failure;
    this.#wake();
  }

  /** See Store.watch. */
  watch(from: StoreRevision | undefined, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    return this.#deliver(from ?? this.#at, signal);
  }

  async *#deliver(from: StoreRevision, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    if (from.epoch !== this.#at.epoch) throw epochError(from, this.#at);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      for (let position = from.revision; !signal.aborted && !this.#ended;) {
        const batch = this.#after(position);
        if (batch) {
          position = batch.revision.revision;
          yield batch;
        } else {
          this.#next ??= Promise.withResolvers<void>();
          await this.#next.promise;
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
    if (this.#failure && !signal.aborted) throw this.#failure;
  }

  #after(revision: number): ChangeBatch | undefined {
    if (revision < this.#compacted) throw compactedError(revision, this.#compacted);
    let low = this.#first;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle]?.revision.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#batches[low];
  }

  #dropFirst(): void {
    const batch = this.#batches[this.#first];
    if (!batch) return;
    this.#compacted = batch.revision.revision;
    this.#changeCount -= batch.changes.length;
    this.#batches[this.#first] = dropped; // the array is cut later, its objects go now
    this.#first += 1;
  }

  #wake(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.resolve();
  }
}

const epochError = (from: StoreRevision, at: StoreRevision): OrchError =>
  new OrchError('ORCH_CONFLICT', `Revision ${from.revision} is of epoch ${from.epoch}, the store is in epoch ${at.epoch}`, { hint: 'List again and continue from the revision of that list' });
