const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A span of time in Docker's words: `Less than a second`, `About a minute`, `3 hours`, `2 weeks`. */
export function describeElapsed(elapsedMs: number): string {
  if (elapsedMs < SECOND_MS) return 'Less than a second';
  if (elapsedMs < MINUTE_MS) return count(elapsedMs, SECOND_MS, 'second');
  if (elapsedMs < 2 * MINUTE_MS) return 'About a minute';
  if (elapsedMs < HOUR_MS) return count(elapsedMs, MINUTE_MS, 'minute');
  if (elapsedMs < 1.5 * HOUR_MS) return 'About an hour';
  if (elapsedMs < 2 * DAY_MS) return count(elapsedMs + HOUR_MS / 2, HOUR_MS, 'hour');
  if (elapsedMs < 14 * DAY_MS) return count(elapsedMs, DAY_MS, 'day');
  if (elapsedMs < 60 * DAY_MS) return count(elapsedMs, 7 * DAY_MS, 'week');
  return elapsedMs < 730 * DAY_MS ? count(elapsedMs, 30 * DAY_MS, 'month') : count(elapsedMs, 365 * DAY_MS, 'year');
}

function count(elapsedMs: number, unitMs: number, unit: string): string {
  const whole = Math.floor(elapsedMs / unitMs);
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`;
}
