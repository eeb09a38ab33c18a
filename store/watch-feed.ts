import type { CommitChanges } from './backend.ts';

/** Commits a watcher may be behind in memory before it reads them back from the log instead. */
const QUEUE_LIMIT = 4096;

/** Reads back commits in (`after`, `upTo`], oldest first, at least one where there are any; throws ORCH_CONFLICT when compacted. */
export type Replay = (after: number, upTo: number) => Promise<readonly CommitChanges[]>;

type Watcher = {
  /** Last revision delivered, or skipped on purpose. */
  position: number;
  queue: CommitChanges[];
  /** True when the queue does not hold all that follows `position`. */
  behind: boolean;
  wake: () => void;
};

/** Hands commits to any number of watchers in order; a slow one costs no memory, it falls back to reading the log. */
export class WatchFeed {
  readonly #watchers = new Set<Watcher>();
  readonly #replay: Replay;
  #revision: number;
  #closed = false;
  #failure: Error | undefined;

  /** `revision`: the last one that is not going to be published. */
  constructor(revision: number, replay: Replay) {
    this.#revision = revision;
    this.#replay = replay;
  }

  /** The newest revision that watchers have been given. */
  get revision(): number { return this.#revision; }

  /** Must be called in the order of revisions, once durable. */
  publish(commit: CommitChanges): void {
    this.#revision = commit.revision;
    for (const watcher of this.#watchers) {
      if (watcher.queue.length >= QUEUE_LIMIT) {
        watcher.queue = [];
        watcher.behind = true;
      }
      if (!watcher.behind) watcher.queue.push(commit);
      watcher.wake();
    }
  }

  /** See StoreBackend.watch. */
  watch(afterRevision: number, signal: AbortSignal): AsyncIterable<CommitChanges> {
    const watcher: Watcher = { position: afterRevision, queue: [], behind: afterRevision < this.#revision, wake: () => {} };
    if (!signal.aborted) this.#watchers.add(watcher);
    signal.addEventListener('abort', () => this.#remove(watcher), { once: true });
    return this.#deliver(watcher, signal);
  }

  /** Ends every watch; with `failure` when one is given. */
  close(failure?: Error): void {
    this.#closed = true;
    this.#failure = failure;
    for (const watcher of this.#watchers) watcher.wake();
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    watcher.wake();
  }

  async *#deliver(watcher: Watcher, signal: AbortSignal): AsyncGenerator<CommitChanges> {
    const ended = (): boolean => signal.aborted || this.#closed;
    try {
      while (!ended()) {
        if (watcher.behind) yield* this.#deliverFromLog(watcher, ended);
        else if (watcher.queue.length > 0) yield* deliverQueue(watcher, ended);
        else await nextWake(watcher);
      }
      if (this.#failure && !signal.aborted) throw this.#failure;
    } finally {
      this.#remove(watcher);
    }
  }

  async *#deliverFromLog(watcher: Watcher, ended: () => boolean): AsyncGenerator<CommitChanges> {
    const upTo = this.#revision;
    watcher.queue = [];
    watcher.behind = false; // from here on the queue collects what follows `upTo`
    while (watcher.position < upTo && !ended()) {
      const page = await this.#replay(watcher.position, upTo);
      if (page.length === 0) watcher.position = upTo;
      for (const commit of page) {
        if (ended()) return;
        watcher.position = commit.revision;
        yield commit;
      }
    }
  }
}

function nextWake(watcher: Watcher): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  watcher.wake = resolve;
  return promise;
}

async function* deliverQueue(watcher: Watcher, ended: () => boolean): AsyncGenerator<CommitChanges> {
  const { queue } = watcher;
  watcher.queue = [];
  for (const commit of queue) {
    if (ended()) return;
    if (commit.revision <= watcher.position) continue;
    watcher.position = commit.revision;
    yield commit;
  }
}
