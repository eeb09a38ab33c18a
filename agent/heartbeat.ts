import type { Clock } from '../base/clock.ts';

/** Calls `beat` once every period until aborted; a new period counts from the next beat on. */
export class Heartbeat {
  #periodMs: number;

  constructor(periodMs: number) { this.#periodMs = periodMs; }

  setPeriod(periodMs: number): void { this.#periodMs = periodMs; }

  async run(clock: Clock, beat: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await clock.sleep(this.#periodMs, signal);
      } catch {
        return; // aborted
      }
      beat();
    }
  }
}
