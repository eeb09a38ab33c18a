import 'reflect-metadata';
import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../../model/errors.ts';
import { isIssuedBy, readCertificate, signCertificate } from '../../proto/x509/certificate.ts';
import type { CertificateProfile } from '../../proto/x509/certificate.ts';
import { createCertificateRequest, publicKeyOfRequest } from '../../proto/x509/certificate-request.ts';
import { bitString, context, positiveInteger, readElements, readOnly, sequence, tags, time } from '../../proto/x509/der.ts';
import { encodeName, signatureAlgorithm, versionNumber } from '../../proto/x509/names.ts';
import { fromPem, pemBlocks, toPem } from '../../proto/x509/pem.ts';

const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const node = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const instant = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;
const NOW_MS = instant('2026-11-21T12:00:00.750Z');
const serial = Buffer.from('ff00000000000000000000000000000001', 'hex').subarray(0, 16);

const caProfile: CertificateProfile = {
  subject: { commonName: 'orch CA', organizationalUnit: 'ca', organization: 'cluster-1' }, publicKey: ca.publicKey, serial,
  notBeforeMs: NOW_MS, notAfterMs: instant('2051-06-01T00:00:00Z'), use: { type: 'ca' },
};
const caPem = signCertificate(caProfile, { privateKey: ca.privateKey });
const caDer = new X509Certificate(caPem).raw;
const nodeProfile: CertificateProfile = {
  subject: { commonName: 'node-1', organizationalUnit: 'worker', organization: 'cluster-1' }, publicKey: node.publicKey, serial: Buffer.alloc(16, 1),
  notBeforeMs: NOW_MS, notAfterMs: NOW_MS + 3_600_000, use: { type: 'node', dnsNames: ['manager.orch.internal', 'node-1.node.orch.internal'] },
};
const nodePem = signCertificate(nodeProfile, { certificateDer: caDer, privateKey: ca.privateKey });
const invalid = (error: unknown): boolean => isOrchError(error, 'ORCH_INVALID');

describe('a signed certificate', () => {
  it('says to another reader what it was made of', () => {
    const read = new x509.X509Certificate(nodePem);
    assert.equal(read.subject, 'O=cluster-1, OU=worker, CN=node-1');
    assert.equal(read.issuer, 'O=cluster-1, OU=ca, CN=orch CA');
    assert.equal(read.serialNumber, '01'.repeat(16));
    assert.equal(read.notBefore.toISOString(), '2026-11-21T12:00:00.000Z');
    assert.equal(read.notAfter.toISOString(), '2026-11-21T13:00:00.000Z');
    assert.equal(read.getExtension(x509.BasicConstraintsExtension)?.ca, false);
    assert.equal(read.getExtension(x509.KeyUsagesExtension)?.usages, x509.KeyUsageFlags.digitalSignature);
    assert.deepEqual([...read.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? []], [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]);
    assert.deepEqual(read.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON(), [{ type: 'dns', value: 'manager.orch.internal' }, { type: 'dns', value: 'node-1.node.orch.internal' }]);
  });

  it('of a CA may sign certificates and nothing below may', () => {
    const read = new x509.X509Certificate(caPem);
    assert.equal(read.subject, read.issuer);
    assert.equal(read.notAfter.toISOString(), '2051-06-01T00:00:00.000Z', 'a year after 2049 takes the other form of time');
    const constraints = read.getExtension(x509.BasicConstraintsExtension);
    assert.deepEqual([constraints?.ca, constraints?.pathLength, constraints?.critical], [true, 0, true]);
    assert.equal(read.getExtension(x509.KeyUsagesExtension)?.usages, x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign);
  });

  it('is verified by another implementation, with identifiers that match', async () => {
    const [issuer, issued] = [new x509.X509Certificate(caPem), new x509.X509Certificate(nodePem)];
    assert.equal(await issued.verify({ publicKey: issuer.publicKey, signatureOnly: true }), true);
    const authority = issued.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
    assert.ok(authority);
    assert.equal(authority, issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId);
  });

  it('is read back, and known as issued by its CA only', () => {
    const facts = readCertificate(nodePem);
    assert.deepEqual([facts.commonName, facts.organizationalUnit, facts.organization], ['node-1', 'worker', 'cluster-1']);
    assert.equal(facts.notAfterMs, instant('2026-11-21T13:00:00Z'));
    assert.ok(isIssuedBy(facts.certificate, new X509Certificate(caPem)));
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const otherPem = signCertificate({ ...caProfile, publicKey: other.publicKey }, { privateKey: other.privateKey });
    assert.ok(!isIssuedBy(facts.certificate, new X509Certificate(otherPem)), 'the same name is not enough');
    assert.ok(!isIssuedBy(facts.certificate, facts.certificate));
    assert.throws(() => readCertificate('nothing'), invalid);
  });
});

describe('a certificate request', () => {
  it('is understood by another implementation, and its own by us', async () => {
    const ours = new x509.Pkcs10CertificateRequest(createCertificateRequest(node.privateKey));
    assert.equal(await ours.verify(), true);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const theirs = await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=someone', keys, signingAlgorithm: algorithm });
    assert.deepEqual(publicKeyOfRequest(theirs.toString('pem')).export({ type: 'spki', format: 'der' }), Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey)));
  });

  it('is refused when its signature is not by its own key', () => {
    const der = fromPem('CERTIFICATE REQUEST', createCertificateRequest(node.privateKey));
    const [info, algorithm] = readElements(readOnly(der, tags.sequence).contents);
    const [, , signature] = readElements(readOnly(fromPem('CERTIFICATE REQUEST', createCertificateRequest(ca.privateKey)), tags.sequence).contents);
    assert.ok(info && algorithm && signature);
    assert.throws(() => publicKeyOfRequest(toPem('CERTIFICATE REQUEST', sequence(info.raw, algorithm.raw, signature.raw))), /wrong signature/);
  });

  it('is refused for a key on another curve or of another kind', async () => {
    for (const other of [generateKeyPairSync('ec', { namedCurve: 'P-384' }), generateKeyPairSync('ec', { namedCurve: 'secp256k1' })]) {
      assert.throws(() => publicKeyOfRequest(createCertificateRequest(other.privateKey)), /curve P-256/);
    }
    const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
    const subject = encodeName({ commonName: 'a', organizationalUnit: 'b', organization: 'c' });
    const forged = sequence(sequence(versionNumber(0), subject, ed25519, context(0)), signatureAlgorithm, bitString(Buffer.alloc(70)));
    assert.throws(() => publicKeyOfRequest(toPem('CERTIFICATE REQUEST', forged)), invalid);
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const rsa = await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=rsa', keys, signingAlgorithm: algorithm });
    assert.throws(() => publicKeyOfRequest(rsa.toString('pem')), /ECDSA with SHA-256/);
  });

  it('is refused, never with anything but ORCH_INVALID, whichever of its bytes is changed', () => {
    const der = fromPem('CERTIFICATE REQUEST', createCertificateRequest(node.privateKey));
    fc.assert(fc.property(fc.nat({ max: der.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Buffer.from(der);
      damaged.writeUInt8(damaged.readUInt8(at) ^ change, at);
      assert.throws(() => publicKeyOfRequest(toPem('CERTIFICATE REQUEST', damaged)), invalid);
    }), { numRuns: 300 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => { assert.throws(() => publicKeyOfRequest(toPem('CERTIFICATE REQUEST', bytes)), invalid); }));
  });
});

describe('DER', () => {
  it('reads back what it writes, whatever the length', () => {
    for (const length of [0, 127, 128, 255, 256, 65_535, 65_536]) {
      const element = readOnly(sequence(Buffer.alloc(length)), tags.sequence);
      assert.equal(element.contents.length, length);
    }
  });

  it('refuses lengths that are indefinite, not shortest, or beyond the end', () => {
    for (const hex of ['3080', '308103', '30810100', '3082000100', '30', '3001', '1f0100', '30847fffffff00']) assert.throws(() => readElements(Buffer.from(hex, 'hex')), invalid, hex);
  });

  it('writes integers as positive and times in the form of their year', () => {
    assert.equal(positiveInteger(Buffer.from([0, 0x80])).toString('hex'), '02020080');
    assert.equal(positiveInteger(Buffer.from([0, 0])).toString('hex'), '020100');
    assert.equal(time(instant('2049-12-31T23:59:59.999Z')).subarray(2).toString(), '491231235959Z');
    assert.equal(time(instant('2050-01-01T00:00:00Z')).subarray(2).toString(), '20500101000000Z');
  });
});

describe('PEM', () => {
  it('keeps every block of a kind, in order, whatever stands around it', () => {
    const text = `junk\n${toPem('CERTIFICATE', Buffer.from([1]))}between\r\n${toPem('PRIVATE KEY', Buffer.from([2]))}${toPem('CERTIFICATE', Buffer.alloc(100, 3))}`;
    assert.deepEqual(pemBlocks('CERTIFICATE', text).map((block) => block.der.length), [1, 100]);
    assert.deepEqual([...fromPem('PRIVATE KEY', text)], [2]);
    assert.throws(() => fromPem('CERTIFICATE REQUEST', text), invalid);
  });
});
