import type { Clock } from '../../base/clock.ts';
import type { NodeId } from '../../model/meta.ts';
import { Wakeups } from '../wakeups.ts';

export type LivenessOptions = {
  readonly clock: Clock;
  /** Called when a node has not been heard of in the time it had; `message` says what was expected of it. */
  readonly onDown: (nodeId: NodeId, message: string) => void;
};

/** A wake-up later than this says that we were stopped ourselves, not the nodes: messages that came meanwhile have yet to be read. */
const STALLED_MS = 1_000;

/** Waits for signs of life of nodes. */
export class Liveness implements AsyncDisposable {
  readonly #options: LivenessOptions;
  readonly #expected = new Map<NodeId, { readonly dueMs: number; readonly withinMs: number; readonly message: string }>();
  readonly #wakeups: Wakeups;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#wakeups = new Wakeups({ clock: options.clock, time: 'monotonic', wake: (nodeId) => this.#due(nodeId) });
  }

  /** The node is down unless this or `forget` is called for it again within `withinMs`. */
  expect(nodeId: NodeId, withinMs: number, message: string): void {
    const dueMs = this.#options.clock.monotonic() + withinMs;
    this.#expected.set(nodeId, { dueMs, withinMs, message });
    this.#wakeups.set(nodeId, dueMs);
  }

  /** Expects nothing of the node any more. */
  forget(nodeId: NodeId): void {
    this.#expected.delete(nodeId);
    this.#wakeups.set(nodeId, undefined);
  }

  [Symbol.asyncDispose](): Promise<void> { return this.#wakeups[Symbol.asyncDispose](); }

  #due(nodeId: NodeId): void {
    const expected = this.#expected.get(nodeId);
    if (!expected) return;
    if (this.#options.clock.monotonic() - expected.dueMs > STALLED_MS) {
      this.expect(nodeId, expected.withinMs, expected.message);
      return;
    }
    this.#expected.delete(nodeId);
    this.#options.onDown(nodeId, expected.message);
  }
}
