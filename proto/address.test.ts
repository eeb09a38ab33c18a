import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { formatHostPort, parseHostPort } from './address.ts';

describe('addresses', () => {
  it('have a host and a port, which may be missing', () => {
    assert.deepEqual(parseHostPort('10.0.0.1:2377', 1), { host: '10.0.0.1', port: 2377 });
    assert.deepEqual(parseHostPort('manager.example', 2377), { host: 'manager.example', port: 2377 });
    assert.deepEqual(parseHostPort('[fd00::1]:99', 1), { host: 'fd00::1', port: 99 });
    assert.deepEqual(parseHostPort('[fd00::1]', 2377), { host: 'fd00::1', port: 2377 });
  });

  it('are written as they are read', () => {
    for (const text of ['10.0.0.1:2377', 'm:1', '[fd00::1]:99']) assert.equal(formatHostPort(parseHostPort(text, 0)), text);
  });

  it('are refused when they are something else', () => {
    for (const text of ['', ':1', 'a:', 'a:b', 'a:65536', 'fd00::1', 'http://a', 'a b:1', '[fd00::1', 'a:1:2']) {
      assert.throws(() => parseHostPort(text, 1), (error) => isOrchError(error, 'ORCH_INVALID'), text);
    }
  });
});
