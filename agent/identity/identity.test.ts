import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { seededRandom } from '../../base/random.ts';
import { isOrchError } from '../../model/errors.ts';
import { publicKeyOfRequest } from '../../proto/x509/certificate-request.ts';
import { loadIdentity, parseIdentity, removeIdentity, saveIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { renewalTimeMs, renewIdentity } from './renew-identity.ts';
import { certify, newKey, newPems, testCaPem as caPem, testValidity as validity } from './testing.ts';

const invalid = (error: unknown): boolean => isOrchError(error, 'ORCH_INVALID');
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'orch-identity-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('the identity of a node', () => {
  it('is read back as it was written, every certificate of the CA included', () => inFolder(async (folder) => {
    const saved = await saveIdentity(folder, { ...newPems(), caPem: `${caPem}${caPem}` });
    assert.deepEqual(await loadIdentity(folder), saved);
    assert.equal(saved.caPem, `${caPem}${caPem}`);
    await removeIdentity(folder);
    assert.equal(await loadIdentity(folder), undefined);
  }));

  it('is the one before when a crash came while the next was written', () => inFolder(async (folder) => {
    const saved = await saveIdentity(folder, newPems());
    await writeFile(join(folder, 'node.pem.tmp'), newPems().keyPem);
    assert.deepEqual(await loadIdentity(folder), saved);
    const next = await saveIdentity(folder, newPems());
    assert.deepEqual(await loadIdentity(folder), next);
  }));

  it('is refused as corrupt when a part is missing or not of the others', () => inFolder(async (folder) => {
    const { keyPem, certificatePem } = newPems();
    for (const text of ['', keyPem, `${keyPem}${certificatePem}`, `${keyPem}${certificatePem}${certificatePem}`, `${newPems().keyPem}${certificatePem}${caPem}`]) {
      await writeFile(join(folder, 'node.pem'), text);
      await assert.rejects(loadIdentity(folder), (error) => isOrchError(error, 'ORCH_CORRUPT') && error.message.includes(join(folder, 'node.pem')));
    }
  }));

  it('is not made of the certificate of a CA or of an unknown role', () => {
    assert.throws(() => parseIdentity(newPems({ organizationalUnit: 'ca' })), invalid);
    assert.throws(() => parseIdentity({ ...newPems(), certificatePem: 'x' }), invalid);
  });
});

describe('renewing an identity', () => {
  const identity = (): Identity => parseIdentity(newPems());

  it('is due between half and four fifths of the life after its issue', () => {
    const random = seededRandom(3);
    const issuedMs = validity.notBeforeMs + 3_600_000; // certificates are backdated by an hour
    const lifeMs = validity.notAfterMs - issuedMs;
    const parts = Array.from({ length: 500 }, () => (renewalTimeMs(validity, random) - issuedMs) / lifeMs);
    assert.ok(Math.min(...parts) >= 0.5 && Math.min(...parts) < 0.51, String(Math.min(...parts)));
    assert.ok(Math.max(...parts) <= 0.8 && Math.max(...parts) > 0.79, String(Math.max(...parts)));
    assert.ok(renewalTimeMs({ notBeforeMs: 0, notAfterMs: 1_000 }, random) <= 1_000, 'a life shorter than the backdating');
  });

  it('takes a new key', () => inFolder(async (folder) => {
    const before = identity();
    const after = await renewIdentity(before, folder, (csrPem) => Promise.resolve({ certificatePem: certify(publicKeyOfRequest(csrPem), { organizationalUnit: 'manager' }), caPem }));
    assert.notEqual(after.keyPem, before.keyPem);
    assert.deepEqual([after.nodeId, after.role], [before.nodeId, 'manager']);
    assert.deepEqual(await loadIdentity(folder), after);
  }));

  it('refuses a certificate of another node, cluster, key or CA, and keeps the one before', () => inFolder(async (folder) => {
    const before = await saveIdentity(folder, newPems());
    const answers: ((csrPem: string) => { certificatePem: string; caPem: string })[] = [
      (csrPem) => ({ certificatePem: certify(publicKeyOfRequest(csrPem), { commonName: 'n2' }), caPem }),
      (csrPem) => ({ certificatePem: certify(publicKeyOfRequest(csrPem), { organization: 'c2' }), caPem }),
      () => ({ certificatePem: certify(newKey().publicKey), caPem }),
      (csrPem) => ({ certificatePem: certify(publicKeyOfRequest(csrPem)), caPem: before.certificatePem }),
    ];
    for (const answer of answers) await assert.rejects(renewIdentity(before, folder, (csrPem) => Promise.resolve(answer(csrPem))), invalid);
    assert.deepEqual(await loadIdentity(folder), before);
  }));
});
