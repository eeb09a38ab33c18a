import type { Random } from './random.ts';

/** Delay in ms before retry number `attempt` (0 first): doubles from `baseMs` up to `maxMs`, then a random point in its upper half so that many clients spread out. */
export function backoffDelayMs(attempt: number, options: { baseMs: number; maxMs: number; random: Random }): number {
  const ceilingMs = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30));
  return ceilingMs / 2 + options.random.next() * ceilingMs / 2;
}
