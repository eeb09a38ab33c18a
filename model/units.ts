import { OrchError } from './errors.ts';

const BINARY_STEP = 1024;
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const NANO = 1_000_000_000;

/** Reads a size as Docker does: `512m`, `1GiB`, `1.5g`, `100kb`, `4096`. All units count by 1024; the result is whole bytes. Throws ORCH_INVALID naming the text. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+) ?(?:b|([kmgtp])(?:i?b)?)?$/i.exec(text);
  const power = match?.[2] === undefined ? 0 : 'kmgtp'.indexOf(match[2].toLowerCase()) + 1;
  const bytes = Math.floor(Number(match?.[1]) * BINARY_STEP ** power);
  if (match && Number.isSafeInteger(bytes)) return bytes;
  throw new OrchError('ORCH_INVALID', `"${text}" is not a valid size`, { hint: 'Write a number and a unit, for example 512m, 1.5g or 1GiB' });
}

/** A size for people, four significant digits: `1.5GiB`, `512MiB`, `100B`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= BINARY_STEP && unit < binaryUnits.length - 1) {
    value /= BINARY_STEP;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${binaryUnits[unit] ?? ''}`;
}

const msPerUnit: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, 'μs': 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads a duration as Go does: `1m30s`, `500ms`, `1.5h`, `0`. The result is in ms, and has a fraction for parts of one. Throws ORCH_INVALID naming the text. */
export function parseDurationMs(text: string): number {
  if (text === '0') return 0;
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let totalMs = 0;
  let end = 0;
  for (let match = part.exec(text); match; match = part.exec(text)) {
    totalMs += Number(match[1]) * (msPerUnit[match[2] ?? ''] ?? Number.NaN);
    end = part.lastIndex;
  }
  if (end > 0 && end === text.length && totalMs <= Number.MAX_SAFE_INTEGER) return Number(totalMs.toFixed(6));
  throw new OrchError('ORCH_INVALID', `"${text}" is not a valid duration`, { hint: 'Write numbers with a unit of ms, s, m or h, for example 500ms, 5s or 1m30s' });
}

/** A duration that `parseDurationMs` reads back: `1m30s`, `1h`, `1.5s`, `500ms`, `0s`. `durationMs` is not negative. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  if (durationMs < 1000) return `${decimal(durationMs)}ms`;
  const hours = Math.floor(durationMs / 3_600_000);
  const minutes = Math.floor((durationMs % 3_600_000) / 60_000);
  const restMs = durationMs % 60_000;
  return (hours > 0 ? `${hours}h` : '') + (minutes > 0 ? `${minutes}m` : '') + (restMs > 0 ? `${decimal(restMs / 1000)}s` : '');
}

/** At most nine digits after the point and never an exponent, which the parser does not read. */
const decimal = (value: number): string => value.toFixed(9).replace(/\.?0+$/, '');

/** Reads a number of CPUs, `0.5` or `2`, into billionths of one. Throws ORCH_INVALID naming the text. */
export function parseCpus(text: string): number {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text);
  const [, whole = '', fraction = ''] = match ?? [];
  const digits = fraction.replace(/0+$/, '');
  const nanoCpus = Number(whole) * NANO + Number(digits.padEnd(9, '0'));
  if (match && whole + fraction !== '' && digits.length <= 9 && Number.isSafeInteger(nanoCpus)) return nanoCpus;
  throw new OrchError('ORCH_INVALID', `"${text}" is not a valid number of CPUs`, { hint: 'Write a decimal number with at most nine digits after the point, for example 0.5 or 2' });
}

/** The number of CPUs that `parseCpus` reads back: `0.5`, `2`. */
export const formatCpus = (nanoCpus: number): string => decimal(nanoCpus / NANO);

/** How long something took or has lasted, in the words Docker uses: `About a minute`, `3 weeks`. */
export function describeDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 60) return plural(seconds, 'second');
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return plural(minutes, 'minute');
  const hours = Math.round(seconds / 3600);
  return hours === 1 ? 'About an hour' : describeHours(hours);
}

function describeHours(hours: number): string {
  const days = Math.floor(hours / 24);
  if (hours < 48) return plural(hours, 'hour');
  if (days < 14) return plural(days, 'day');
  if (days < 60) return plural(Math.floor(days / 7), 'week');
  return days < 730 ? plural(Math.floor(days / 30), 'month') : plural(Math.floor(days / 365), 'year');
}

/** How long ago `atMs` was: `5 minutes ago`. A time in the future (clocks differ) reads as just now. */
export const describeAge = (atMs: number, nowMs: number): string => `${describeDuration(Math.max(0, nowMs - atMs))} ago`;

const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;
