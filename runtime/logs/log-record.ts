import type { LogRecord } from '../engine.ts';

const SPACE = 0x20;
/** `2026-11-21T23:07:09.123456789Z` */
const TIME_LENGTH = 30;
const SHORTEST_HEAD = TIME_LENGTH + ' stdout F '.length;

/** One line of a log file, without its newline: `TIME STREAM F|P text`. Undefined when it is no record. */
export function parseLogRecord(line: Buffer): LogRecord | undefined {
  if (line.length < SHORTEST_HEAD || line[TIME_LENGTH] !== SPACE) return undefined;
  const time = line.toString('latin1', 0, TIME_LENGTH);
  const stream = line.toString('latin1', TIME_LENGTH + 1, TIME_LENGTH + 7);
  const tag = line.toString('latin1', TIME_LENGTH + 7, SHORTEST_HEAD);
  if (!time.endsWith('Z') || (stream !== 'stdout' && stream !== 'stderr') || (tag !== ' F ' && tag !== ' P ')) return undefined;
  return { stream, time, line: line.subarray(SHORTEST_HEAD), partial: tag === ' P ' };
}

/** A time in ms since the epoch in the form that records have, for comparing as text. */
export const logTime = (atMs: number): string => Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toString({ fractionalSecondDigits: 9 });
