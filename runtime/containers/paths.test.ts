import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { enginePaths } from './paths.ts';

describe('enginePaths', () => {
  it('keeps every socket short enough for the kernel, or says that the directory is too long', () => {
    const longest = `/${'r'.repeat(67)}`;
    assert.equal(enginePaths('/d', longest).of('f'.repeat(64)).consoleSocket.length, 107);
    assert.throws(() => enginePaths('/d', `${longest}r`), (error) => isOrchError(error, 'ORCH_INVALID') && (error.hint?.includes('68 bytes') ?? false));
  });
});
