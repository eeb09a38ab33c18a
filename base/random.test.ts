import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { backoffDelayMs } from './backoff.ts';
import { newContainerId, newId } from './ids.ts';
import type { Random } from './random.ts';
import { seededRandom, systemRandom } from './random.ts';

/** Every byte is `byte`. */
const constant = (byte: number): Random => ({ next: () => byte / 256, bytes: (count) => new Uint8Array(count).fill(byte) });
const many = <T>(make: () => T): T[] => Array.from({ length: 1_000 }, make);

describe('random numbers', () => {
  for (const [name, random] of [['of the system', systemRandom], ['from a seed', seededRandom(7)]] as const) {
    it(`${name} are spread over [0, 1), bytes over all values`, () => {
      const tenths = new Set(many(() => random.next()).map((value) => {
        assert.ok(value >= 0 && value < 1, `${value}`);
        return Math.floor(value * 10);
      }));
      assert.equal(tenths.size, 10);
      const bytes = random.bytes(20_000);
      assert.equal(bytes.length, 20_000);
      assert.equal(new Set(bytes).size, 256);
    });
  }

  it('repeat for the same seed and differ for another', () => {
    const sequence = (seed: number): number[] => {
      const random = seededRandom(seed);
      return [random.next(), ...random.bytes(4), random.next()];
    };
    assert.deepEqual(sequence(1), sequence(1));
    assert.notDeepEqual(sequence(1), sequence(2));
  });
});

describe('ids', () => {
  it('are 25 characters of lower-case base36, whatever chance gives', () => {
    for (const id of [newId(constant(0)), newId(constant(1)), newId(constant(255)), ...many(() => newId(systemRandom))]) assert.match(id, /^[0-9a-z]{25}$/);
    for (const id of [newContainerId(constant(0)), newContainerId(systemRandom)]) assert.match(id, /^[0-9a-f]{64}$/);
  });

  it('do not repeat, and use every one of their places', () => {
    const ids = many(() => newId(systemRandom));
    assert.equal(new Set(ids).size, ids.length);
    for (let place = 0; place < 25; place += 1) assert.ok(new Set(ids.map((id) => id[place])).size > 30, `place ${place} hardly changes`);
  });
});

describe('backoffDelayMs', () => {
  it('lies in the upper half of a time that doubles up to its limit', () => fc.assert(fc.property(fc.nat(2_000), fc.nat(), (attempt, seed) => {
    const delayMs = backoffDelayMs(attempt, { baseMs: 100, maxMs: 8_000, random: seededRandom(seed) });
    const ceilingMs = Math.min(8_000, 100 * 2 ** attempt);
    assert.ok(delayMs >= ceilingMs / 2 && delayMs < ceilingMs, `${delayMs} of ${ceilingMs}`);
  })));
});
