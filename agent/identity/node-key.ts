import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { createCertificateRequest } from '../../proto/x509/certificate-request.ts';

const generateKey = promisify(generateKeyPair);

export type NodeKey = {
  /** The private key; it never leaves the node. */
  readonly keyPem: string;
  /** Asks a manager for a certificate of this key. */
  readonly csrPem: string;
};

/** A new P-256 key and its certificate request. */
export async function createNodeKey(): Promise<NodeKey> {
  const { privateKey } = await generateKey('ec', { namedCurve: 'P-256' });
  return { keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), csrPem: createCertificateRequest(privateKey) };
}
