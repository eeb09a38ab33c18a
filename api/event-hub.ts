import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { OrchError, errorMessage } from '../model/errors.ts';
import type { ControlPlane } from './control-plane.ts';

/** One thing that happened, on this node (local) or in the cluster (swarm). */
export type HubEvent = {
  readonly type: string;
  readonly action: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly scope: 'local' | 'swarm';
  readonly atMs: number;
};

export type EventWindow = {
  /** Past events at or after this time come first; undefined is none of them. */
  readonly sinceMs?: number;
  /** The stream ends at this time; undefined is never. */
  readonly untilMs?: number;
  readonly signal: AbortSignal;
};

/** Past events kept for `since`, as many as Docker keeps. */
const HISTORY_LENGTH = 256;
/** A reader that is this many events behind is cut off, so that it cannot fill the memory. */
const MAX_BEHIND = 8192;

type Reader = { readonly queue: HubEvent[]; wake: () => void };

/** Gathers the events of the node and of the cluster, keeps the last ones, and hands them to any number of readers. */
export class EventHub implements AsyncDisposable {
  readonly #history: HubEvent[] = [];
  readonly #readers = new Set<Reader>();
  readonly #stop = new AbortController();
  readonly #clock: Clock;
  readonly #log: Log;
  #control: ControlPlane | undefined;
  #listening: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  publish(event: HubEvent): void {
    this.#history.push(event);
    if (this.#history.length > HISTORY_LENGTH) this.#history.shift();
    for (const reader of this.#readers) {
      reader.queue.push(event);
      reader.wake();
    }
  }

  /** Listens to this control plane from now on, in place of the one before; cheap when it is the same. Undefined stops listening. */
  attach(control: ControlPlane | undefined): void {
    if (control === this.#control || this.#stop.signal.aborted) return;
    this.#control = control;
    this.#listening?.abort.abort();
    this.#listening = undefined;
    if (!control) return;
    const abort = new AbortController();
    this.#listening = { abort, done: this.#listen(control, AbortSignal.any([abort.signal, this.#stop.signal])) };
  }

  async #listen(control: ControlPlane, signal: AbortSignal): Promise<void> {
    try {
      for await (const { type, action, id, attributes, atMs } of control.events(signal)) this.publish({ type, action, id, attributes, atMs, scope: 'swarm' });
    } catch (error) {
      if (signal.aborted) return;
      this.#log.error({ error: errorMessage(error) }, 'cluster events ended; listening again with the next request');
    }
    if (this.#control === control) this.#control = undefined;
  }

  /** Events in order; registered at once, so that nothing between this call and the first `next` is lost. Ends at `untilMs` and when the signal aborts. */
  stream(window: EventWindow): AsyncGenerator<HubEvent, void, undefined> {
    const { sinceMs, untilMs } = window;
    const past = sinceMs === undefined && untilMs === undefined ? [] : this.#history.filter(({ atMs }) => atMs >= (sinceMs ?? 0));
    const reader: Reader = { queue: past, wake: () => {} };
    this.#readers.add(reader);
    return this.#read(reader, window);
  }

  async *#read(reader: Reader, window: EventWindow): AsyncGenerator<HubEvent, void, undefined> {
    const { untilMs = Infinity } = window;
    const over = new AbortController();
    const signal = AbortSignal.any([window.signal, this.#stop.signal, over.signal]);
    signal.addEventListener('abort', () => reader.wake(), { once: true });
    const remainingMs = untilMs - this.#clock.now();
    if (remainingMs <= 0) over.abort();
    const timer = Number.isFinite(remainingMs) && remainingMs > 0 ? this.#clock.sleep(remainingMs, signal).then(() => over.abort(), () => { /* the reader left first */ }) : undefined;
    try {
      while (!window.signal.aborted) {
        if (reader.queue.length > MAX_BEHIND) throw new OrchError('ORCH_TIMEOUT', `The reader of events is more than ${MAX_BEHIND} events behind and was cut off`);
        yield* reader.queue.splice(0).filter(({ atMs }) => atMs <= untilMs);
        if (reader.queue.length > 0) continue;
        if (signal.aborted) return;
        await new Promise<void>((resolve) => { reader.wake = resolve; });
      }
    } finally {
      this.#readers.delete(reader);
      over.abort();
      await timer;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#listening?.done;
  }
}
