import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { FakeClock } from '../../base/fake-clock.ts';
import { seededRandom, systemRandom } from '../../base/random.ts';
import { isOrchError } from '../../model/errors.ts';
import { isIssuedBy, readCertificate } from '../../proto/x509/certificate.ts';
import { createCertificateRequest } from '../../proto/x509/certificate-request.ts';
import { openMemoryStore } from '../../store/testing.ts';
import { createCa, openCa } from './certificate-authority.ts';
import { foundCluster } from './found-cluster.ts';
import { createJoinToken, roleOfToken } from './join-tokens.ts';
import { createDataKey, loadDataKey, seal, unseal } from './sealing.ts';

const YEAR_MS = 365.25 * 24 * 3_600_000;
const corrupt = (error: unknown): boolean => isOrchError(error, 'ORCH_CORRUPT');
const random = seededRandom(1);
const clock = new FakeClock(1_700_000_000_000);
const dataKey = random.bytes(32);
const csrPem = createCertificateRequest(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'orch-ca-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('sealing', () => {
  it('opens with the same key for the same purpose only, and notices any change', () => {
    const sealed = seal('the key', { dataKey, purpose: 'CA key', random });
    assert.equal(unseal(sealed, { dataKey, purpose: 'CA key' }), 'the key');
    assert.notEqual(seal('the key', { dataKey, purpose: 'CA key', random }), sealed, 'never the same twice');
    assert.throws(() => unseal(sealed, { dataKey: random.bytes(32), purpose: 'CA key' }), corrupt);
    assert.throws(() => unseal(sealed, { dataKey, purpose: 'other' }), corrupt);
    const bytes = Buffer.from(sealed, 'base64');
    for (let at = 0; at < bytes.length; at += 5) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      assert.throws(() => unseal(changed.toString('base64'), { dataKey, purpose: 'CA key' }), corrupt, `byte ${at}`);
    }
    for (const text of ['', 'AAAA', sealed.slice(0, 24)]) assert.throws(() => unseal(text, { dataKey, purpose: 'CA key' }), corrupt);
  });

  it('keeps the data key in a file that only its owner reads', () => inFolder(async (folder) => {
    const pkiDir = join(folder, 'pki');
    assert.equal(await loadDataKey(pkiDir), undefined);
    const made = await createDataKey(pkiDir, systemRandom);
    assert.deepEqual(await loadDataKey(pkiDir), Buffer.from(made));
    assert.equal((await stat(pkiDir)).mode & 0o777, 0o700);
    assert.equal((await stat(join(pkiDir, 'data.key'))).mode & 0o777, 0o600);
    await writeFile(join(pkiDir, 'data.key'), 'short');
    await assert.rejects(loadDataKey(pkiDir), corrupt);
  }));
});

describe('the cluster CA', () => {
  it('lasts twenty years, and its key is nowhere in the clear', async () => {
    const ca = await createCa({ clusterId: 'c1', dataKey, clock, random });
    const facts = readCertificate(ca.certificatePem);
    assert.deepEqual([facts.organization, facts.notAfterMs - clock.now()], ['c1', 20 * YEAR_MS]);
    assert.ok(isIssuedBy(facts.certificate, facts.certificate));
    assert.ok(!JSON.stringify(ca).includes('PRIVATE'));
    assert.throws(() => openCa({ clusterId: 'c1', ca, dataKey: random.bytes(32), clock, random }), corrupt);
  });

  it('issues no certificate that outlives it', async () => {
    const ca = openCa({ clusterId: 'c1', ca: await createCa({ clusterId: 'c1', dataKey, clock, random }), dataKey, clock, random });
    const facts = readCertificate(ca.issue({ csrPem, nodeId: 'n1', role: 'worker', lifeMs: 30 * YEAR_MS }));
    assert.equal(facts.notAfterMs, clock.now() + 20 * YEAR_MS);
    assert.notEqual(readCertificate(ca.issue({ csrPem, nodeId: 'n1', role: 'worker', lifeMs: 1 })).certificate.serialNumber, facts.certificate.serialNumber);
  });
});

describe('join tokens', () => {
  it('stand for a role each, and a rotated one for none', () => {
    const caPem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const [worker, manager, later] = [createJoinToken(caPem, random), createJoinToken(caPem, random), createJoinToken(caPem, random)];
    assert.equal(roleOfToken(worker, { worker, manager }), 'worker');
    assert.equal(roleOfToken(manager, { worker, manager }), 'manager');
    assert.equal(roleOfToken(worker, { worker: later, manager }), undefined);
    assert.equal(roleOfToken('', { worker, manager }), undefined);
  });
});

describe('founding a cluster', () => {
  it('leaves one cluster with its first manager, once', async () => {
    await using store = await openMemoryStore(clock);
    const options = { store, dataKey, csrPem, node: { availability: 'active', hostname: 'm1', advertiseAddress: '10.0.0.1', remoteAddress: '' }, spec: { name: 'blue' }, clock, random };
    const { cluster, nodeId, certificatePem } = await foundCluster(options);
    assert.equal(cluster.spec.name, 'blue');
    assert.notEqual(cluster.joinTokens.worker, cluster.joinTokens.manager);
    const facts = readCertificate(certificatePem);
    assert.deepEqual([facts.commonName, facts.organizationalUnit, facts.organization], [nodeId, 'manager', cluster.id]);
    assert.deepEqual(store.view((view) => [view.cluster.count, view.node.get(nodeId)?.role, view.node.get(nodeId)?.spec.role]), [1, 'manager', 'manager']);
    await assert.rejects(foundCluster(options), (error) => isOrchError(error, 'ORCH_ALREADY_IN_CLUSTER'));
    assert.equal(store.view((view) => view.node.count), 1);
  });
});
