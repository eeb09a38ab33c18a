import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { caDigestOf, formatJoinToken, parseJoinToken } from './join-token.ts';
import { toPem } from './x509/pem.ts';

const caPem = toPem('CERTIFICATE', Buffer.from('a certificate'));

describe('a join token', () => {
  it('pins the CA and carries a secret, both at full length whatever their value', () => {
    const smallest = formatJoinToken(caPem, new Uint8Array(16));
    const biggest = formatJoinToken(caPem, new Uint8Array(16).fill(255));
    assert.match(smallest, /^ORCHTKN-1-[0-9a-z]{50}-0{25}$/);
    assert.match(biggest, /^ORCHTKN-1-[0-9a-z]{50}-f5lxx1zz5pnorynqglhzmsp33$/);
    assert.equal(smallest.length, 86);
    assert.equal(parseJoinToken(biggest).caDigest, caDigestOf(caPem));
  });

  it('is read with blanks around it, as it is pasted', () => {
    const token = formatJoinToken(caPem, new Uint8Array(16).fill(7));
    assert.deepEqual(parseJoinToken(` ${token}\n`), parseJoinToken(token));
  });

  it('is refused when a character is missing, too many or wrong, without repeating it', () => {
    const token = formatJoinToken(caPem, new Uint8Array(16).fill(7));
    for (const wrong of [token.slice(1), token.slice(0, -1), `${token}0`, token.toUpperCase(), token.replace('-1-', '-2-'), '']) {
      assert.throws(() => parseJoinToken(wrong), (error) => isOrchError(error, 'ORCH_BAD_TOKEN') && (wrong === '' || !error.message.includes(wrong)), wrong);
    }
  });
});
