import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseExitRecord } from './exit-record.ts';

describe('parseExitRecord', () => {
  it('reads what a monitor writes, whatever a newer one adds', () => {
    const text = 'run=3\npid=77\nexit_code=137\noom_kills=1\nstarted_at_ns=1795303666674999999\nexited_at_ns=1795303666778000000\nlog_dropped_bytes=5\nfuture=x\n';
    assert.deepEqual(parseExitRecord(text), { runNumber: 3, exitCode: 137, oomKilled: true, startedAtMs: 1_795_303_666_674, exitedAtMs: 1_795_303_666_778, logDroppedBytes: 5 });
  });
});
