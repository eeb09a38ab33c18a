import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { ClusterId, NodeId } from '../../model/meta.ts';
import type { NodeRole } from '../../model/node.ts';
import { managerServerName, nodeServerName } from '../../proto/names.ts';
import { signCertificate } from '../../proto/x509/certificate.ts';
import { publicKeyOfRequest } from '../../proto/x509/certificate-request.ts';
import { certificateBackdateMs } from '../../proto/x509/profile.ts';
import { seal, unseal } from './sealing.ts';

const generateKey = promisify(generateKeyPair);
const CA_LIFE_MS = 20 * 365.25 * 24 * 3_600_000;
const SERIAL_BYTES = 16;
const KEY_PURPOSE = 'CA key';

/** A new cluster's CA in the form that the cluster object stores. */
export async function createCa(options: { clusterId: ClusterId; dataKey: Uint8Array; clock: Clock; random: Random }): Promise<Cluster['ca']> {
  const { clusterId, dataKey, clock, random } = options;
  const { publicKey, privateKey } = await generateKey('ec', { namedCurve: 'P-256' });
  const nowMs = clock.now();
  const certificatePem = signCertificate({
    subject: { commonName: 'orch CA', organizationalUnit: 'ca', organization: clusterId }, publicKey, serial: random.bytes(SERIAL_BYTES),
    notBeforeMs: nowMs - certificateBackdateMs, notAfterMs: nowMs + CA_LIFE_MS, use: { type: 'ca' },
  }, { privateKey });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificatePem, sealedKey: seal(keyPem, { dataKey, purpose: KEY_PURPOSE, random }) };
}

type CertificateOrder = {
  /** The node's CSR, PEM; only its key counts. */
  readonly csrPem: string;
  readonly nodeId: NodeId;
  readonly role: NodeRole;
  readonly lifeMs: number;
};

/** Signs node certificates of one cluster. */
export type CertificateAuthority = {
  readonly clusterId: ClusterId;
  /** The CA's own certificate, PEM. */
  readonly certificatePem: string;
  /** The certificate, PEM. Throws ORCH_INVALID for a CSR that is malformed, wrongly signed or not for a P-256 key. */
  issue(order: CertificateOrder): string;
};

/** Opens the CA of a cluster with the managers' data key. Throws ORCH_CORRUPT when the key does not fit. */
export function openCa(options: { clusterId: ClusterId; ca: Cluster['ca']; dataKey: Uint8Array; clock: Clock; random: Random }): CertificateAuthority {
  const { clusterId, ca, dataKey, clock, random } = options;
  const privateKey: KeyObject = createPrivateKey(unseal(ca.sealedKey, { dataKey, purpose: KEY_PURPOSE }));
  const certificate = new X509Certificate(ca.certificatePem);
  const caEndMs = certificate.validToDate.getTime();
  return {
    clusterId,
    certificatePem: ca.certificatePem,
    issue({ csrPem, nodeId, role, lifeMs }) {
      const nowMs = clock.now();
      const dnsNames = [...(role === 'manager' ? [managerServerName] : []), nodeServerName(nodeId)];
      return signCertificate({
        subject: { commonName: nodeId, organizationalUnit: role, organization: clusterId },
        publicKey: publicKeyOfRequest(csrPem), serial: random.bytes(SERIAL_BYTES),
        notBeforeMs: nowMs - certificateBackdateMs, notAfterMs: Math.min(nowMs + lifeMs, caEndMs), use: { type: 'node', dnsNames },
      }, { certificateDer: certificate.raw, privateKey });
    },
  };
}
