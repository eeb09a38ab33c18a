import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from './errors.ts';
import { describeAge, describeDuration, formatBytes, formatCpus, formatDuration, parseBytes, parseCpus, parseDurationMs } from './units.ts';

/** Asserts a refusal that shows the text and how to write it. */
function refuses(parse: (text: string) => number, text: string): void {
  assert.throws(() => parse(text), (error) => {
    assert.ok(isOrchError(error, 'ORCH_INVALID'));
    assert.ok(error.message.includes(`"${text}"`), error.message);
    assert.match(error.hint ?? '', /for example/);
    return true;
  }, `"${text}" was accepted`);
}

describe('parseBytes', () => {
  const sizes: readonly (readonly [string, number])[] = [
    ['0', 0], ['32', 32], ['32b', 32], ['32B', 32], ['32k', 32 * 1024], ['32K', 32 * 1024], ['32kb', 32 * 1024], ['32KiB', 32 * 1024],
    ['100kb', 102_400], ['512m', 512 * 1024 ** 2], ['1GiB', 1024 ** 3], ['1.5g', 1.5 * 1024 ** 3], ['.5g', 0.5 * 1024 ** 3], ['32.', 32],
    ['32 mb', 32 * 1024 ** 2], ['2t', 2 * 1024 ** 4], ['1PB', 1024 ** 5], ['32.3', 32], ['0.3k', 307],
  ];
  for (const [text, bytes] of sizes) it(`reads ${text}`, () => assert.equal(parseBytes(text), bytes));

  for (const text of ['', 'm', '-1m', '1x', '1mm', '1mib2', '1 b ', ' 1', '1  m', '1bb', '1e3', '1,5g', 'Infinity', '99999999p']) {
    it(`refuses "${text}"`, () => refuses(parseBytes, text));
  }
});

describe('formatBytes', () => {
  it('shows four significant digits', () => {
    assert.deepEqual([0, 100, 1024, 1536, 1024 ** 2 * 512, 1024 ** 3 * 1.5, 1234567].map(formatBytes), ['0B', '100B', '1KiB', '1.5KiB', '512MiB', '1.5GiB', '1.177MiB']);
  });

  it('reads back within the digits it shows', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (bytes) => {
      assert.ok(Math.abs(parseBytes(formatBytes(bytes)) - bytes) <= bytes * 0.0006 + 1);
    }));
  });
});

describe('parseDurationMs', () => {
  const durations: readonly (readonly [string, number])[] = [
    ['0', 0], ['0s', 0], ['5s', 5000], ['1m30s', 90_000], ['500ms', 500], ['1.5h', 5_400_000], ['1.1h', 3_960_000], ['.5s', 500], ['1.s', 1000],
    ['250us', 0.25], ['250µs', 0.25], ['1ns', 0.000001], ['2160h', 7_776_000_000], ['1s1m', 61_000],
  ];
  for (const [text, durationMs] of durations) it(`reads ${text}`, () => assert.equal(parseDurationMs(text), durationMs));

  for (const text of ['', '5', 's', '-5s', '5 s', '5d', '1m30', '1,5s', ' 5s', '1e3s', '9999999999999999h']) {
    it(`refuses "${text}"`, () => refuses(parseDurationMs, text));
  }
});

describe('formatDuration', () => {
  it('leaves out what is zero', () => {
    assert.deepEqual([0, 1, 500, 1000, 1500, 60_000, 90_000, 3_600_000, 3_661_000, 7_776_000_000].map(formatDuration),
      ['0s', '1ms', '500ms', '1s', '1.5s', '1m', '1m30s', '1h', '1h1m1s', '2160h']);
  });

  it('reads back as the same duration', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 11 }), (durationMs) => {
      assert.equal(parseDurationMs(formatDuration(durationMs)), durationMs);
    }));
  });
});

describe('parseCpus', () => {
  const counts: readonly (readonly [string, number])[] = [
    ['0', 0], ['1', 1e9], ['0.5', 5e8], ['.5', 5e8], ['2.', 2e9], ['1.25', 1.25e9], ['0.000000001', 1], ['0.1000000000', 1e8], ['64', 64e9], ['0.29', 290_000_000],
  ];
  for (const [text, nanoCpus] of counts) it(`reads ${text}`, () => assert.equal(parseCpus(text), nanoCpus));

  for (const text of ['', '.', '-1', '1e3', '1/2', '0.0000000001', 'two', ' 1', '99999999999']) it(`refuses "${text}"`, () => refuses(parseCpus, text));

  it('reads back what formatCpus writes', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 15 }), (nanoCpus) => { assert.equal(parseCpus(formatCpus(nanoCpus)), nanoCpus); }));
  });
});

describe('describeDuration', () => {
  it('speaks as Docker does', () => {
    const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
    const said: readonly (readonly [number, string])[] = [
      [0, 'Less than a second'], [999, 'Less than a second'], [second, '1 second'], [45 * second, '45 seconds'], [minute, 'About a minute'], [119 * second, 'About a minute'],
      [3 * minute, '3 minutes'], [59 * minute, '59 minutes'], [60 * minute, 'About an hour'], [89 * minute, 'About an hour'], [3 * hour, '3 hours'], [47 * hour, '47 hours'],
      [3 * day, '3 days'], [13 * day, '13 days'], [14 * day, '2 weeks'], [59 * day, '8 weeks'], [60 * day, '2 months'], [700 * day, '23 months'], [800 * day, '2 years'],
    ];
    for (const [durationMs, words] of said) assert.equal(describeDuration(durationMs), words);
  });

  it('calls a time in the future now', () => assert.equal(describeAge(5_000, 1_000), 'Less than a second ago'));
  it('says how long ago a time was', () => assert.equal(describeAge(0, 300_000), '5 minutes ago'));
});
