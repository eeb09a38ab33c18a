import { createPrivateKey, createPublicKey } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfExists, writeFileAtomic } from '../../base/files.ts';
import { errorMessage, OrchError } from '../../model/errors.ts';
import type { ClusterId, NodeId } from '../../model/meta.ts';
import type { NodeRole } from '../../model/node.ts';
import { isIssuedBy, readCertificate } from '../../proto/x509/certificate.ts';
import { pemBlocks } from '../../proto/x509/pem.ts';

/** Key, certificate and CA of a node, in PEM. */
export type IdentityPems = { readonly keyPem: string; readonly certificatePem: string; readonly caPem: string };

/** Who a node is, as its certificate proves it. */
export type Identity = IdentityPems & {
  readonly nodeId: NodeId;
  readonly role: NodeRole;
  readonly clusterId: ClusterId;
  /** ms since the Unix epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
};

/** All three parts are one file: no crash can leave a key beside the certificate of another. */
const FILE_NAME = 'node.pem';

const pathIn = (pkiDir: string): string => join(pkiDir, FILE_NAME);

/** The identity in `pkiDir`; undefined when the node is in no cluster. Throws ORCH_CORRUPT for a file that does not hold a whole one. */
export async function loadIdentity(pkiDir: string): Promise<Identity | undefined> {
  const path = pathIn(pkiDir);
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  try {
    return parseIdentity(splitFile(text));
  } catch (cause) {
    throw new OrchError('ORCH_CORRUPT', `${path} holds no identity of a node: ${errorMessage(cause)}`, { details: { path }, cause, hint: 'Leave the cluster on this node and join again' });
  }
}

/** Writes an identity so that a crash leaves either the one before or this one, readable by its owner only. Throws ORCH_INVALID when the parts do not belong together, and what `check` throws; nothing is written then. */
export async function saveIdentity(pkiDir: string, pems: IdentityPems, check: (identity: Identity) => void = () => {}): Promise<Identity> {
  const identity = parseIdentity(pems);
  check(identity);
  await mkdir(pkiDir, { recursive: true, mode: 0o700 });
  await chmod(pkiDir, 0o700);
  await writeFileAtomic(pathIn(pkiDir), `${pems.keyPem.trim()}\n${pems.certificatePem.trim()}\n${pems.caPem.trim()}\n`, 0o600);
  return identity;
}

/** Forgets the identity: the node has left its cluster. */
export async function removeIdentity(pkiDir: string): Promise<void> {
  await rm(pathIn(pkiDir), { force: true });
}

/** Reads who the certificate is of. Throws ORCH_INVALID when key, certificate and CA do not belong together, or the certificate is not that of a node. */
export function parseIdentity(pems: IdentityPems): Identity {
  const { certificate, commonName, organizationalUnit, organization, notBeforeMs, notAfterMs } = readCertificate(pems.certificatePem);
  if (organizationalUnit !== 'worker' && organizationalUnit !== 'manager') throw new OrchError('ORCH_INVALID', 'The certificate is not that of a node');
  const certified = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const own = createPublicKey(createPrivateKey(pems.keyPem)).export({ type: 'spki', format: 'der' });
  if (!own.equals(certified)) throw new OrchError('ORCH_INVALID', 'The certificate is for another key');
  const cas = pemBlocks('CERTIFICATE', pems.caPem);
  if (!cas.some((ca) => isIssuedBy(certificate, readCertificate(ca.der).certificate))) throw new OrchError('ORCH_INVALID', 'The certificate is not of the CA beside it');
  return { ...pems, nodeId: commonName, role: organizationalUnit, clusterId: organization, notBeforeMs, notAfterMs };
}

/** The file holds the key, the node's certificate, then the CA's (several during a change of CA). */
function splitFile(text: string): IdentityPems {
  const [key] = pemBlocks('PRIVATE KEY', text);
  const [own, ...cas] = pemBlocks('CERTIFICATE', text);
  if (!key || !own || cas.length === 0) throw new OrchError('ORCH_INVALID', 'key, certificate or CA is missing');
  return { keyPem: key.text, certificatePem: own.text, caPem: cas.map((ca) => ca.text).join('') };
}
