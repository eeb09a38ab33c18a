import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { lastRuntimeMessage, startFailure } from './runtime-message.ts';

describe('lastRuntimeMessage', () => {
  it('takes the last error of a JSON log and passes over warnings', () => {
    const log = ['{"level":"error","msg":"first"}', '{"level":"error","msg":"last"}', '{"level":"warning","msg":"signal: killed"}', ''].join('\n');
    assert.equal(lastRuntimeMessage(log), 'last');
  });

  it('takes plain text where a runtime writes no JSON', () => {
    assert.equal(lastRuntimeMessage('one\ntwo\n'), 'two');
    assert.equal(lastRuntimeMessage(''), '');
  });
});

describe('startFailure', () => {
  const code = (message: string): unknown => startFailure('web', message).details['exitCode'];

  it('gives 127 for a missing command, of runc and of crun', () => {
    assert.equal(code('runc run failed: unable to start container process: exec: "nope": executable file not found in $PATH'), 127);
    assert.equal(code('runc run failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory'), 127);
    assert.equal(code('executable file `nope` not found in $PATH: No such file or directory'), 127);
  });

  it('gives 126 for a command that cannot be executed', () => {
    assert.equal(code('runc run failed: unable to start container process: exec: "/etc/passwd": permission denied'), 126);
    assert.equal(code('runc run failed: unable to start container process: exec: "/etc": is a directory'), 126);
    assert.equal(code('open executable: Permission denied'), 126);
  });

  it('gives 128 when it was not about the command', () => {
    assert.equal(code('runc run failed: unable to start container process: error mounting "/nope" to rootfs: no such file or directory'), 128);
    assert.equal(code(''), 128);
  });

  it('names the container and the reason without the runtime\'s preamble', () => {
    assert.equal(startFailure('web', 'runc run failed: unable to start container process: exec: "x": permission denied').message, 'Container "web" cannot start: exec: "x": permission denied');
  });
});
