// oxlint-disable no-restricted-globals -- reads and writes dates; never asks for the current time
import { OrchError } from '../model/errors.ts';
import { parseDurationMs } from '../model/units.ts';

/** Ms since the Unix epoch of an RFC 3339 text; NaN when it is not one. */
export const parseTimestampMs = (text: string): number => Date.parse(text);

/** Reads `--since` and `--until` as Docker does: RFC 3339, seconds since the epoch, or a duration before now. Throws ORCH_USAGE naming the flag. */
export function parseTimeFlag(flag: string, text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const atMs = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  try {
    return nowMs - parseDurationMs(text);
  } catch (error) {
    throw new OrchError('ORCH_USAGE', `--${flag}: "${text}" is not a time`, { hint: 'Write 2026-01-31T12:00:00Z, seconds since the epoch, or how long ago, such as 10m', cause: error });
  }
}

/** Seconds since the epoch with fraction, as Docker's query parameters want them. */
export const epochSeconds = (atMs: number): string => (atMs / 1000).toFixed(3);
