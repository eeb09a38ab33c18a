import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { createNodeKey } from '../../../agent/identity/node-key.ts';
import { loadIdentity, saveIdentity } from '../../../agent/identity/identity.ts';
import { systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { FakeClock } from '../../../base/fake-clock.ts';
import { systemRandom } from '../../../base/random.ts';
import { createJoinToken } from '../../../manager/ca/join-tokens.ts';
import { isOrchError } from '../../../model/errors.ts';
import type { ErrorCode } from '../../../model/errors.ts';
import { readCertificate } from '../../../proto/x509/certificate.ts';
import { startTestManager } from './harness.ts';

const failsWith = (code: ErrorCode, sentence: RegExp) => (error: unknown): boolean => isOrchError(error, code) && sentence.test(error.message);
const DAY_MS = 24 * 3_600_000;
const shifted = (byMs: number): Clock => ({ ...systemClock, now: () => systemClock.now() + byMs });

describe('joining a cluster', () => {
  it('gives the node a certificate of its id and role, and its record exists', async () => {
    await using manager = await startTestManager();
    const pkiDir = join(manager.folder, 'pki');
    const identity = await manager.join({ pkiDir, availability: 'drain', hostname: 'w1', advertiseAddress: '10.0.0.7' });
    assert.deepEqual([identity.role, identity.clusterId], ['worker', manager.cluster.id]);
    const node = manager.store.view((view) => view.node.get(identity.nodeId));
    assert.deepEqual([node?.status.state, node?.role, node?.spec.availability, node?.advertiseAddress], ['unknown', 'worker', 'drain', '10.0.0.7']);
    assert.match(node?.status.message ?? '', /w1/);
    assert.deepEqual(await loadIdentity(pkiDir), identity, 'what was written is what was returned');
    assert.equal((await stat(pkiDir)).mode & 0o777, 0o700);
    for (const name of await readdir(pkiDir)) assert.equal((await stat(join(pkiDir, name))).mode & 0o777, 0o600, name);
  });

  it('takes the role of the token, and only managers get the name that managers are known by', async () => {
    await using manager = await startTestManager();
    const [worker, second] = [await manager.join(), await manager.join({ as: 'manager' })];
    const names = (pem: string): string => readCertificate(pem).certificate.subjectAltName ?? '';
    assert.equal(second.role, 'manager');
    assert.equal(names(second.certificatePem), `DNS:manager.orch.internal, DNS:${second.nodeId}.node.orch.internal`);
    assert.equal(names(worker.certificatePem), `DNS:${worker.nodeId}.node.orch.internal`);
  });

  it('lasts as long as the cluster says, from an hour ago', async () => {
    await using manager = await startTestManager();
    const { notBeforeMs, notAfterMs } = await manager.join();
    assert.equal(notAfterMs - notBeforeMs, 90 * DAY_MS + 3_600_000);
  });

  it('refuses what is no token before it talks to anybody', async () => {
    await using manager = await startTestManager();
    for (const token of ['', 'SWMTKN-1-abc', manager.cluster.joinTokens.worker.slice(0, -1), `${manager.cluster.joinTokens.worker}x`]) {
      await assert.rejects(manager.join({ token, addresses: ['127.0.0.1:1'] }), failsWith('ORCH_BAD_TOKEN', /malformed/));
    }
  });

  it('refuses the token of another cluster, and that cluster never sees it', async () => {
    const asked: unknown[] = [];
    await using manager = await startTestManager();
    await using other = await startTestManager({ joinPlane: (real) => ({ ...real, issueCertificate: (request) => { asked.push(request); return real.issueCertificate(request); } }) });
    await assert.rejects(manager.join({ addresses: [other.server.address] }), failsWith('ORCH_BAD_TOKEN', /not of the cluster at 127/));
    assert.deepEqual(asked, []);
  });

  it('sends nothing secret to a server that shows the right CA but has no certificate of it', async () => {
    const asked: unknown[] = [];
    await using manager = await startTestManager();
    await using thief = await startTestManager({ joinPlane: (real) => ({
      ca: () => manager.joinPlane.ca(),
      issueCertificate: (request) => { asked.push(request); return real.issueCertificate(request); },
    }) });
    await assert.rejects(manager.join({ addresses: [thief.server.address] }), failsWith('ORCH_UNAUTHORIZED', /no certificate of this cluster/));
    assert.deepEqual(asked, []);
  });

  it('sends nothing secret to a node of the cluster that is no manager', async () => {
    await using manager = await startTestManager();
    manager.server.useIdentity(await manager.issue({ nodeId: 'w9', role: 'worker' }));
    await assert.rejects(manager.join(), failsWith('ORCH_UNAUTHORIZED', /no manager/));
  });

  it('refuses a token with a wrong secret, and one that was rotated', async () => {
    await using manager = await startTestManager();
    const wrong = createJoinToken(manager.ca.certificatePem, systemRandom);
    await assert.rejects(manager.join({ token: wrong }), failsWith('ORCH_BAD_TOKEN', /rotated/));
    await manager.store.update((tx) => {
      const cluster = tx.cluster.get(manager.cluster.id);
      assert.ok(cluster);
      tx.cluster.update({ ...cluster, joinTokens: { ...cluster.joinTokens, worker: wrong } });
    });
    await assert.rejects(manager.join(), failsWith('ORCH_BAD_TOKEN', /rotated/));
    assert.equal((await manager.join({ token: wrong })).role, 'worker');
    assert.equal((await manager.join({ as: 'manager' })).role, 'manager', 'the other token still holds');
  });

  it('refuses when the clocks are a day apart, and names both times', async () => {
    await using manager = await startTestManager();
    for (const byMs of [DAY_MS, -DAY_MS]) await assert.rejects(manager.join({ clock: shifted(byMs) }), failsWith('ORCH_CLOCK_SKEW', /this node \(20.*manager.*\(20/));
    assert.equal((await manager.join({ clock: shifted(60_000) })).role, 'worker', 'a minute is fine');
  });

  it('refuses on the manager too when the clocks are apart', async () => {
    const clock = new FakeClock(1_700_000_000_000);
    await using manager = await startTestManager({ clock });
    const { csrPem } = await createNodeKey();
    const request = { token: manager.cluster.joinTokens.worker, csrPem, availability: 'active', hostname: '', advertiseAddress: '', remoteAddress: '127.0.0.1' };
    await assert.rejects(manager.joinPlane.issueCertificate({ ...request, nowMs: clock.now() + 5 * 60_000 + 1 }), failsWith('ORCH_CLOCK_SKEW', /2023-11-14T22:18:20Z.*2023-11-14T22:13:20Z/));
    assert.equal((await manager.joinPlane.issueCertificate({ ...request, nowMs: clock.now() - 5 * 60_000 })).role, 'worker');
  });

  it("says that a manager's certificate is not valid at this time, rather than that TLS failed", async () => {
    await using manager = await startTestManager();
    const own = await manager.issue({ nodeId: 'm1', role: 'manager', lifeMs: -1_000 });
    manager.server.useIdentity(own);
    await assert.rejects(manager.join(), failsWith('ORCH_CLOCK_SKEW', /not valid at this node's time, 20/));
  });

  it('names the address where nothing listens, and tries the next one', async () => {
    await using manager = await startTestManager();
    const taken = createServer();
    await new Promise<void>((resolve) => { taken.listen(0, '127.0.0.1', resolve); });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address
    const closed = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    await new Promise((resolve) => { taken.close(resolve); });
    await assert.rejects(manager.join({ addresses: [closed] }), failsWith('ORCH_UNREACHABLE', new RegExp(`${closed}.*refused`)));
    await assert.rejects(manager.join({ addresses: [closed, closed] }), failsWith('ORCH_UNREACHABLE', new RegExp(`${closed}, ${closed}`)));
    assert.equal((await manager.join({ addresses: [closed, manager.server.address] })).role, 'worker');
  });

  it('refuses an unknown availability and a request that is no CSR', async () => {
    await using manager = await startTestManager();
    const { csrPem } = await createNodeKey();
    const request = { token: manager.cluster.joinTokens.worker, csrPem, availability: 'active', hostname: '', advertiseAddress: '', remoteAddress: '', nowMs: systemClock.now() };
    await assert.rejects(manager.joinPlane.issueCertificate({ ...request, availability: 'asleep' }), failsWith('ORCH_INVALID', /asleep/));
    await assert.rejects(manager.joinPlane.issueCertificate({ ...request, csrPem: 'hello' }), failsWith('ORCH_INVALID', /CERTIFICATE REQUEST/));
    assert.equal(manager.store.view((view) => view.node.count), 1, 'no record of a node that got no certificate');
  });
});

describe('an identity on disk', () => {
  it('is undefined before a node has joined, and refused when it is damaged', async () => {
    await using manager = await startTestManager();
    const pkiDir = join(manager.folder, 'other');
    assert.equal(await loadIdentity(pkiDir), undefined);
    const identity = await manager.issue({ nodeId: 'n1', role: 'worker' });
    const { keyPem } = await createNodeKey();
    await assert.rejects(saveIdentity(pkiDir, { ...identity, keyPem }), failsWith('ORCH_INVALID', /another key/));
    await assert.rejects(saveIdentity(pkiDir, { ...identity, caPem: identity.certificatePem }), failsWith('ORCH_INVALID', /CA/));
    assert.equal(await loadIdentity(pkiDir), undefined, 'nothing was written');
  });
});
