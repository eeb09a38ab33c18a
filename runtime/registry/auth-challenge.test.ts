import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { parseChallenges } from './auth-challenge.ts';

const read = (header: string): unknown => parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('parseChallenges', () => {
  it('reads what registries send', () => {
    assert.deepEqual(read('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/web:pull,push"'),
      [['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:library/web:pull,push' }]]);
    assert.deepEqual(read('BASIC realm=x'), [['basic', { realm: 'x' }]]);
    assert.deepEqual(read('Bearer Realm = "a \\"b\\"" , service=s'), [['bearer', { realm: 'a "b"', service: 's' }]]);
    assert.deepEqual(read('Negotiate, Bearer realm="r",scope="s", Basic realm="b"'), [['negotiate', {}], ['bearer', { realm: 'r', scope: 's' }], ['basic', { realm: 'b' }]]);
    assert.deepEqual(read(''), []);
    assert.deepEqual(read('="x"'), []);
  });

  it('comes to an end whatever it is given', () => {
    const piece = fc.constantFrom('Bearer', 'realm', '=', '"', '\\', ',', ' ', 'x', '"y"', '\u0000', 'ä');
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => { parseChallenges(pieces.join('')); }));
  });
});
