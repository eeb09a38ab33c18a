import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Fence, Store } from '../store/store.ts';
import type { LoopContext } from './loop-context.ts';

/** The key that the leader of the cluster holds. */
export const LEADER_KEY = 'leader';

export type LeaderScopeOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Unique for this process: a manager that starts again is another holder. */
  readonly holder: string;
  /** How long leadership outlives its holder. Default 5 s. */
  readonly ttlMs?: number;
  /** Starts all leader work into `scope`; called each time leadership is won. Whatever throws ends this time of leading, and another campaign begins. */
  readonly start: (context: LoopContext, scope: AsyncDisposableStack) => Promise<void>;
};

/** Campaigns for leadership while it lives, and runs the leader's work in one scope: lost leadership stops all of it, and what is still under way can't be committed. */
export class LeaderScope implements AsyncDisposable {
  readonly #options: LeaderScopeOptions;
  readonly #fence: Fence;
  readonly #ttlMs: number;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  readonly #decided = Promise.withResolvers<void>();
  #leading = false;

  /** Begins to campaign at once. */
  constructor(options: LeaderScopeOptions) {
    this.#options = options;
    this.#ttlMs = options.ttlMs ?? 5_000;
    this.#fence = { key: LEADER_KEY, holder: options.holder };
    this.#running = this.#run();
  }

  /** True while the leader's work runs here. */
  get leading(): boolean { return this.#leading; }

  /** Resolves once this manager leads, or knows that it does not for now. */
  decided(): Promise<void> { return this.#decided.promise; }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the manager stops'));
    await this.#running;
    this.#decided.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        if (await this.#campaign()) await this.#lead();
        this.#decided.resolve();
      } catch (error) {
        if (!signal.aborted) this.#options.log.error({ err: error }, 'Leading the cluster ended with an error; trying again');
      }
      if (!signal.aborted) await this.#pause(this.#ttlMs / 4, signal);
    }
  }

  #campaign(): Promise<boolean> { return this.#options.store.campaign(this.#fence, this.#ttlMs); }

  /** Returns when leadership is lost or the scope is disposed; the work has stopped by then. */
  async #lead(): Promise<void> {
    const { store, clock, random, log, start } = this.#options;
    const term = new AbortController();
    const signal = AbortSignal.any([term.signal, this.#stopped.signal]);
    try {
      await using scope = new AsyncDisposableStack();
      scope.defer(() => term.abort(new Error('leadership has ended')));
      await start({ store, clock, random, log, fence: this.#fence, signal }, scope);
      this.#leading = true;
      this.#decided.resolve();
      log.info({ holder: this.#fence.holder }, 'This manager leads the cluster');
      await this.#hold(signal);
    } finally {
      this.#leading = false;
      await store.resign(this.#fence);
    }
  }

  /** Extends leadership until that fails. A commit that is already under way is stopped by its fence. */
  async #hold(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let heldAtMs = clock.monotonic();
    while (await this.#pause(this.#ttlMs / 4, signal)) {
      const askedAtMs = clock.monotonic();
      const answer = await this.#extend();
      if (answer === 'held') heldAtMs = askedAtMs;
      else if (answer === 'lost' || clock.monotonic() - heldAtMs >= this.#ttlMs) {
        log.warn({ holder: this.#fence.holder }, 'Leadership of the cluster is lost');
        return;
      }
    }
  }

  async #extend(): Promise<'held' | 'lost' | 'unknown'> {
    try {
      return await this.#campaign() ? 'held' : 'lost';
    } catch (error) {
      this.#options.log.warn({ err: error }, 'Leadership could not be extended; trying again');
      return 'unknown';
    }
  }

  /** False when aborted. */
  async #pause(durationMs: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.clock.sleep(durationMs, signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }
}
