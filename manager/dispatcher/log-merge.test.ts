import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compareTimes, mergeByTime } from './log-merge.ts';

describe('times of log records', () => {
  it('compare by all of their digits, however many are written', () => {
    assert.ok(compareTimes('2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.499999999Z') > 0);
    assert.ok(compareTimes('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000001Z') < 0);
    assert.equal(compareTimes('2026-01-01T00:00:00.10Z', '2026-01-01T00:00:00.1Z'), 0);
  });
});

describe('merging logs', () => {
  it('yields the records of all sources in the order of time', async () => {
    const source = (...seconds: number[]): { take(): Promise<{ time: string } | undefined> } => {
      const times = seconds.map((second) => ({ time: `2026-01-01T00:00:0${second}Z` }));
      return { take: () => Promise.resolve(times.shift()) };
    };
    const merged = await Array.fromAsync(mergeByTime([source(1, 4), source(), source(2, 3, 5)]), ({ time }) => time.slice(18, 19));
    assert.equal(merged.join(''), '12345');
  });
});
