import assert from 'node:assert/strict';
import { Metadata, status } from '@grpc/grpc-js';
import { describe, it } from 'mocha';
import { errorCodes, isErrorCode, OrchError } from '../model/errors.ts';
import { fromServiceError, toServiceError } from './status.ts';

describe('errors across gRPC', () => {
  it('arrive with the code, sentence, hint and details they were thrown with', () => {
    for (const code of Object.keys(errorCodes)) {
      assert.ok(isErrorCode(code));
      const sent = new OrchError(code, 'Node "ü" is gone', { hint: 'Fetch it – now', details: { node: 'ü', count: 3 } });
      const wire = toServiceError(sent);
      assert.equal(wire.code, errorCodes[code].grpc);
      const arrived = fromServiceError(wire, 'm1:2377');
      assert.deepEqual([arrived.code, arrived.message, arrived.hint, arrived.details], [sent.code, sent.message, sent.hint, sent.details]);
    }
  });

  it('arrive without a hint when they had none', () => {
    assert.equal(fromServiceError(toServiceError(new OrchError('ORCH_CONFLICT', 'No')), 'm1:2377').hint, undefined);
  });

  it('are internal errors when the thrower had no code for them', () => {
    const arrived = fromServiceError(toServiceError(new TypeError('x is undefined')), 'm1:2377');
    assert.deepEqual([arrived.code, arrived.message], ['ORCH_INTERNAL', 'The manager failed: x is undefined']);
  });

  it("say what gRPC's own status means, and which manager it was", () => {
    const codeFor = (code: number): string => fromServiceError(Object.assign(new Error('nope'), { code, metadata: new Metadata() }), 'm1:2377').code;
    assert.equal(codeFor(status.UNAVAILABLE), 'ORCH_UNREACHABLE');
    assert.equal(codeFor(status.CANCELLED), 'ORCH_UNREACHABLE');
    assert.equal(codeFor(status.DEADLINE_EXCEEDED), 'ORCH_TIMEOUT');
    assert.equal(codeFor(status.UNAUTHENTICATED), 'ORCH_UNAUTHORIZED');
    assert.equal(codeFor(status.UNIMPLEMENTED), 'ORCH_UNSUPPORTED');
    assert.equal(codeFor(status.UNKNOWN), 'ORCH_INTERNAL');
    assert.match(fromServiceError(new Error('nope'), 'm1:2377').message, /m1:2377.*nope/);
  });

  it('are not taken from a trailer of another form', () => {
    for (const text of ['{', 'null', '{"code":"ORCH_NEW","message":"x"}', '{"code":"ORCH_CONFLICT"}']) {
      const metadata = new Metadata();
      metadata.set('orch-error-bin', Buffer.from(text));
      assert.equal(fromServiceError(Object.assign(new Error('nope'), { code: status.NOT_FOUND, metadata }), 'm1').code, 'ORCH_INTERNAL', text);
    }
  });
});
