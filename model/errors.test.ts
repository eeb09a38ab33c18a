import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { assertNever, errorCodes, errorMessage, isErrorCode, isOrchError, OrchError } from './errors.ts';

/** Codes, exit codes and HTTP answers as documented; they are API, so the document is what a change is held against. */
const documented = [...readFileSync(join(import.meta.dirname, '../docs/errors.md'), 'utf8').matchAll(/^\| `(ORCH_\w+)` \| (\d+) \| (\d+) \| (\d+) \| (.+) \|$/gm)];

describe('the table of errors', () => {
  it('is documented whole, each code once and with a sentence', () => {
    assert.deepEqual(documented.map(([, code = '', exit, http, grpc]) => [code, Number(exit), Number(http), Number(grpc)]), Object.entries(errorCodes).map(([code, { exit, http, grpc }]) => [code, exit, http, grpc]));
    assert.equal(new Set(documented.map(([, code]) => code)).size, documented.length);
    const sentences = documented.map(([, , , , , sentence = '']) => sentence);
    for (const sentence of sentences) assert.ok(sentence.length > 10, sentence);
    assert.equal(new Set(sentences).size, sentences.length, 'two codes of the same meaning');
  });

  it('has exit codes that a shell does not use, the one of a bug for nothing else', () => {
    for (const [code, { exit }] of Object.entries(errorCodes)) assert.ok(Number.isInteger(exit) && exit >= 1 && exit < 125, `${code} exits with ${exit}`);
    assert.deepEqual(Object.entries(errorCodes).filter(([, { exit }]) => exit === errorCodes.ORCH_INTERNAL.exit).map(([code]) => code), ['ORCH_INTERNAL']);
    const usage = new Set<string>(['ORCH_INVALID', 'ORCH_USAGE']);
    assert.ok(Object.entries(errorCodes).every(([code, { exit }]) => (exit === 2) === usage.has(code)), 'exit 2 is for what the caller wrote');
  });

  it('answers with errors of HTTP and gRPC only', () => {
    for (const [code, { http, grpc }] of Object.entries(errorCodes)) {
      assert.ok(http >= 400 && http < 600, `${code} answers ${http}`);
      assert.ok(Number.isInteger(grpc) && grpc >= 1 && grpc <= 16, `${code} is gRPC ${grpc}`);
    }
  });
});

describe('OrchError', () => {
  it('is known by its code', () => {
    const error = new OrchError('ORCH_NOT_FOUND', 'There is no service "web"', { hint: 'List them', details: { name: 'web' }, cause: 'x' });
    assert.deepEqual([error.name, error.code, error.message, error.hint, error.details, error.cause], ['OrchError', 'ORCH_NOT_FOUND', 'There is no service "web"', 'List them', { name: 'web' }, 'x']);
    assert.deepEqual([isOrchError(error), isOrchError(error, 'ORCH_NOT_FOUND'), isOrchError(error, 'ORCH_IN_USE'), isOrchError(new Error('x')), isOrchError(undefined)], [true, true, false, false, false]);
    assert.deepEqual(new OrchError('ORCH_TIMEOUT', 'Late').details, {});
  });

  it('takes no word from a wire for a code that is none', () => assert.deepEqual(['ORCH_TIMEOUT', 'ORCH_NONE', 'toString', ''].map(isErrorCode), [true, false, false, false]));
  it('is shown by its message, and anything else thrown as text', () => assert.deepEqual([new Error('why'), 'text', 7].map(errorMessage), ['why', 'text', '7']));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the types rule out is what this is about
  it('is not what impossible code throws', () => assert.throws(() => assertNever('x' as never), (error) => !isOrchError(error) && errorMessage(error) === 'unreachable case: "x"'));
});
