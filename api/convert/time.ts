/** Go's zero time, which Docker sends for times that have not come yet. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC, as short as its value allows. */
export const formatTime = (atMs: number): string => Temporal.Instant.fromEpochMilliseconds(Math.trunc(atMs)).toString();

/** As `formatTime`; 0 is a time that has not come yet. */
export const formatTimeOrZero = (atMs: number): string => atMs === 0 ? ZERO_TIME : formatTime(atMs);

/** Reads a point in time of a query: seconds since the epoch, also with a fraction, or RFC 3339. Undefined when it is neither. */
export function parseTimeMs(text: string): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Math.floor(Number(text) * 1000);
  if (!/^\d{4}-\d\d-\d\dT/.test(text)) return undefined;
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
