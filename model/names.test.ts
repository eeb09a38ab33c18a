import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { nameProblem, randomName } from './names.ts';

describe('nameProblem', () => {
  for (const name of ['a', 'web', 'Web-1', 'stack_web', '1a', 'a--b', 'a'.repeat(63)]) it(`lets a service be called ${name.slice(0, 20)}`, () => assert.equal(nameProblem('service', name), undefined));
  for (const [name, why] of [['', /empty/], ['-a', /letters/], ['a-', /letters/], ['a.b', /letters/], ['a b', /letters/], ['a_', /letters/], ['ä', /letters/], ['a'.repeat(64), /63/]] as const) {
    it(`does not let a service be called "${name.slice(0, 20)}"`, () => assert.match(nameProblem('service', name) ?? '', why));
  }
  it('lets networks and volumes have dots', () => {
    assert.equal(nameProblem('network', 'a.b_c-'), undefined);
    assert.equal(nameProblem('volume', 'data.1'), undefined);
    assert.match(nameProblem('volume', '.data') ?? '', /letters/);
    assert.match(nameProblem('network', 'a'.repeat(64)) ?? '', /63/);
  });
});

describe('randomName', () => {
  it('is made of two words and can name a service', () => {
    fc.assert(fc.property(fc.nat(), fc.nat(), (first, second) => {
      const picks = [first, second];
      const name = randomName((count) => (picks.shift() ?? 0) % count);
      assert.match(name, /^[a-z]+_[a-z]+$/);
      assert.equal(nameProblem('service', name), undefined);
    }));
  });
  it('is the same for the same numbers', () => assert.equal(randomName(() => 7), randomName(() => 7)));
});
