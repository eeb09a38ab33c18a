import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { Clock } from '../../base/clock.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { OrchError } from '../../model/errors.ts';
import type { ManagerChannel } from '../../proto/channel.ts';
import { decodeRenewalRequest, encodeRenewalResponse } from '../../proto/convert/renewal.ts';
import { publicKeyOfRequest } from '../../proto/x509/certificate-request.ts';
import { parseIdentity } from '../identity/identity.ts';
import type { Identity } from '../identity/identity.ts';
import { certify, newPems, testCaPem, testValidity } from '../identity/testing.ts';
import { IdentityRenewal } from './identity-renewal.ts';

const HOUR_MS = 3_600_000;
/** Chance that always falls in the middle: renewal at 65 % of the life. */
const middle = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count) };
/** Certificates of these tests live nine hours from their issue. */
const dueMs = testValidity.notBeforeMs + HOUR_MS + 0.65 * 9 * HOUR_MS;

/** A manager that renews, or fails with `failure` while that is set. */
class FakeManager {
  asked = 0;
  failure: OrchError | undefined;
  channel: ManagerChannel | undefined = {
    address: 'm1:2377',
    ready: () => Promise.resolve(),
    call: ({ request }) => {
      this.asked += 1;
      if (this.failure) return Promise.reject(this.failure);
      const { csrPem } = decodeRenewalRequest(request);
      return Promise.resolve(encodeRenewalResponse({ certificatePem: certify(publicKeyOfRequest(csrPem)), caPem: testCaPem }));
    },
    openStream: () => { throw new Error('not used'); },
    openUpload: () => { throw new Error('not used'); },
    [Symbol.dispose]: () => {},
  };
}

type Fixture = { readonly clock: FakeClock; readonly manager: FakeManager; readonly renewal: IdentityRenewal; readonly renewed: Identity[]; readonly settle: () => Promise<void> };

async function running(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  const pkiDir = await mkdtemp(join(tmpdir(), 'orch-renewal-'));
  const clock = new FakeClock(testValidity.notBeforeMs + HOUR_MS);
  const manager = new FakeManager();
  const renewed: Identity[] = [];
  const sleepers = { count: 0 };
  const counting: Clock = {
    now: () => clock.now(), monotonic: () => clock.monotonic(),
    sleep: (durationMs, signal) => { sleepers.count += 1; return clock.sleep(durationMs, signal).finally(() => { sleepers.count -= 1; }); },
  };
  const renewal = new IdentityRenewal({
    identity: parseIdentity(newPems()), pkiDir, clock: counting, random: middle, log: silentLog, channel: () => manager.channel, onIdentity: (identity) => { renewed.push(identity); },
  });
  const stop = new AbortController();
  const run = renewal.run(stop.signal);
  // Writing the identity takes real turns of the loop: it is done when the renewal sleeps again.
  const settle = async (): Promise<void> => { do await new Promise(setImmediate); while (sleepers.count === 0); };
  try {
    await use({ clock, manager, renewal, renewed, settle });
  } finally {
    stop.abort();
    await run;
    await rm(pkiDir, { recursive: true, force: true });
  }
}

describe('renewal of a certificate', () => {
  it('comes at its time, not before', () => running(async ({ clock, manager, renewed, settle }) => {
    await clock.advance(dueMs - clock.now() - 1);
    assert.equal(manager.asked, 0);
    await clock.advance(1);
    await settle();
    assert.deepEqual([manager.asked, renewed.length], [1, 1]);
  }));

  it('does not come at once again for a certificate that is due when it is granted', () => running(async ({ clock, manager, settle }) => {
    await clock.advance(testValidity.notAfterMs - clock.now());
    await settle();
    const { asked } = manager;
    await clock.advance(59_000);
    await settle();
    assert.equal(manager.asked, asked);
    await clock.advance(1_000);
    await settle();
    assert.equal(manager.asked, asked + 1);
  }));

  it('comes in time although the wall clock was set forward', () => running(async ({ clock, manager, settle }) => {
    const jumped = new FakeClock(dueMs + HOUR_MS);
    clock.now = () => jumped.now();
    await clock.advance(HOUR_MS);
    await settle();
    assert.equal(manager.asked, 1);
  }));

});

describe('renewal of a certificate on demand', () => {
  it('comes at once when asked for, and tells whoever follows the identity', () => running(async ({ renewal, renewed, settle }) => {
    await settle();
    const before = renewal.identity;
    const change = renewal.changed(before);
    renewal.renewNow();
    await change;
    await settle();
    assert.equal(renewed.length, 1);
    assert.notEqual(renewal.identity.certificatePem, before.certificatePem);
    await renewal.changed(before);
  }));

  it('is tried again until a manager grants it, with pauses that grow to five minutes', () => running(async ({ clock, manager, renewal, renewed, settle }) => {
    manager.failure = new OrchError('ORCH_UNREACHABLE', 'gone');
    await settle();
    renewal.renewNow();
    for (let minute = 0; minute < 60; minute += 1) {
      await clock.advance(60_000);
      await settle();
    }
    assert.ok(manager.asked >= 15 && manager.asked <= 25, `asked ${manager.asked} times in an hour`);
    assert.equal(renewed.length, 0);
    manager.failure = undefined;
    renewal.retryNow();
    await renewal.changed(renewal.identity);
    assert.equal(renewed.length, 1);
  }));

  it('waits for a connection', () => running(async ({ clock, manager, renewal, renewed, settle }) => {
    const { channel } = manager;
    manager.channel = undefined;
    await settle();
    renewal.renewNow();
    await settle();
    await clock.advance(60_000);
    assert.equal(renewed.length, 0);
    manager.channel = channel;
    const change = renewal.changed(renewal.identity);
    renewal.retryNow();
    await change;
    assert.deepEqual([manager.asked, renewed.length], [1, 1]);
  }));
});
