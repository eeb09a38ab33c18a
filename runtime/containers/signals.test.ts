import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { parseSignal } from './signals.ts';

describe('parseSignal', () => {
  it('reads names with and without SIG, numbers, and real-time signals', () => {
    const numbers = ['TERM', 'sigkill', 'SIGHUP', '10', 'RTMIN', 'SIGRTMIN+3', 'RTMAX-1'].map(parseSignal);
    assert.deepEqual(numbers, [15, 9, 1, 10, 34, 37, 63]);
  });

  it('refuses all else', () => {
    for (const text of ['', '0', '65', '-1', 'FOO', 'RTMIN+99', 'SIGSIGTERM']) assert.throws(() => parseSignal(text), (error) => isOrchError(error, 'ORCH_INVALID'), text);
  });
});
