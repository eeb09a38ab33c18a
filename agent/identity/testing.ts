import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { signCertificate } from '../../proto/x509/certificate.ts';
import type { Subject } from '../../proto/x509/names.ts';
import { fromPem } from '../../proto/x509/pem.ts';
import type { IdentityPems } from './identity.ts';

/** When the certificates below are valid: ten hours. */
export const testValidity = { notBeforeMs: 1_700_000_000_000, notAfterMs: 1_700_000_000_000 + 10 * 3_600_000 };

export const newKey = (): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const validity = { ...testValidity, serial: Buffer.alloc(16, 1) };
const ca = newKey();

/** A CA that only tests trust. */
export const testCaPem = signCertificate({ ...validity, subject: { commonName: 'CA', organizationalUnit: 'ca', organization: 'c1' }, publicKey: ca.publicKey, use: { type: 'ca' } }, { privateKey: ca.privateKey });

/** A certificate of the test CA: of worker n1 in cluster c1 where `subject` does not differ. */
export const certify = (publicKey: KeyObject, subject: Partial<Subject> = {}): string => signCertificate({
  ...validity, subject: { commonName: 'n1', organizationalUnit: 'worker', organization: 'c1', ...subject }, publicKey, use: { type: 'node', dnsNames: ['n1.node.orch.internal'] },
}, { certificateDer: fromPem('CERTIFICATE', testCaPem), privateKey: ca.privateKey });

/** A new key with a certificate of the test CA. */
export function newPems(subject: Partial<Subject> = {}): IdentityPems {
  const key = newKey();
  return { keyPem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificatePem: certify(key.publicKey, subject), caPem: testCaPem };
}
