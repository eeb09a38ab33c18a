import { backoffDelayMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { TransientFailure } from './registry-failure.ts';

export type RetryPolicy = {
  readonly clock: Clock;
  readonly random: Random;
  readonly attempts: number;
  /** First delay; doubles with each attempt. */
  readonly baseMs: number;
  readonly signal?: AbortSignal | undefined;
};

const MAX_DELAY_MS = 10_000;
/** A registry that asks for a longer wait is believed, and the pull fails. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Waits before attempt `attempt` (1 is the second one), or throws what `failure` means when there is none left. */
export async function waitToRetry(failure: TransientFailure, attempt: number, policy: RetryPolicy): Promise<void> {
  const asked = failure.retryAfterMs;
  if (attempt >= policy.attempts || (asked !== undefined && asked > MAX_RETRY_AFTER_MS)) throw failure.final;
  const ownMs = backoffDelayMs(attempt - 1, { baseMs: policy.baseMs, maxMs: MAX_DELAY_MS, random: policy.random });
  await policy.clock.sleep(Math.max(ownMs, asked ?? 0), policy.signal);
}

/** Runs `attempt` until it succeeds, throws something that will not pass, or has been tried often enough; then throws the last failure's `final`. */
export async function withRetries<T>(attempt: () => Promise<T>, policy: RetryPolicy): Promise<T> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      await waitToRetry(error, made, policy);
    }
  }
}
