import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { epochSeconds, parseTimeFlag, parseTimestampMs } from './time.ts';

const NOW_MS = 1_000_000;

describe('parseTimeFlag', () => {
  it('reads RFC 3339, seconds since the epoch, and how long ago', () => {
    assert.equal(parseTimeFlag('since', '2026-01-31T12:00:00Z', NOW_MS), 1_769_860_800_000);
    assert.equal(parseTimeFlag('since', '2026-01-31T12:00:00.5+01:00', NOW_MS), 1_769_857_200_500);
    assert.equal(parseTimeFlag('since', '2026-01-31', NOW_MS), 1_769_817_600_000);
    assert.equal(parseTimeFlag('since', '1769860800.25', NOW_MS), 1_769_860_800_250);
    assert.equal(parseTimeFlag('since', '1m30s', NOW_MS), 910_000);
  });

  it('refuses anything else, naming the flag', () => {
    for (const text of ['', 'yesterday', '2026-13-01', '5 m']) {
      assert.throws(() => parseTimeFlag('until', text, NOW_MS), (error) => isOrchError(error, 'ORCH_USAGE') && error.message === `--until: "${text}" is not a time`, text);
    }
  });
});

describe('epochSeconds', () => {
  it('keeps milliseconds', () => assert.equal(epochSeconds(1_769_860_800_250), '1769860800.250'));
});

describe('parseTimestampMs', () => {
  it('reads what Docker writes, nanoseconds too', () => {
    assert.equal(parseTimestampMs('2026-01-31T12:00:00.123456789Z'), 1_769_860_800_123);
    assert.ok(Number.isNaN(parseTimestampMs('')));
  });
});
