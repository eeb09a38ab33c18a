import { createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { OrchError } from '../../model/errors.ts';
import { bitString, context, readElements, readOnly, sequence, tags } from './der.ts';
import type { Element } from './der.ts';
import { encodeName, signatureAlgorithm, versionNumber } from './names.ts';
import type { Subject } from './names.ts';
import { fromPem, toPem } from './pem.ts';

/** The subject of a node's CSR; whoever signs it decides the real one. */
const anySubject: Subject = { commonName: 'node', organizationalUnit: 'orch', organization: 'orch' };

/** A CSR (PKCS#10) for the key pair, in PEM. Its subject means nothing: a manager puts in the certificate what it knows itself. */
export function createCertificateRequest(privateKey: KeyObject, subject: Subject = anySubject): string {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const info = sequence(versionNumber(0), encodeName(subject), publicKey, context(0));
  return toPem('CERTIFICATE REQUEST', sequence(info, signatureAlgorithm, bitString(sign('sha256', info, privateKey))));
}

/**
 * The public key that a CSR in PEM asks a certificate for: a P-256 key whose owner signed the CSR. Everything else in it is ignored.
 * Throws ORCH_INVALID for any other key, a wrong signature and malformed input.
 */
export function publicKeyOfRequest(csrPem: string): KeyObject {
  const [info, algorithm, signature] = readElements(readOnly(fromPem('CERTIFICATE REQUEST', csrPem), tags.sequence).contents);
  if (info?.tag !== tags.sequence || !algorithm || signature?.tag !== tags.bitString) throw refused('is not well-formed');
  if (!algorithm.raw.equals(signatureAlgorithm)) throw refused('is not signed by ECDSA with SHA-256');
  const publicKey = readPublicKey(info);
  if (!verifies({ info, signature, publicKey })) throw refused('has a wrong signature');
  return publicKey;
}

function readPublicKey(info: Element): KeyObject {
  const [version, subject, keyInfo] = readElements(info.contents);
  if (version?.tag !== tags.integer || subject?.tag !== tags.sequence || keyInfo?.tag !== tags.sequence) throw refused('is not well-formed');
  const publicKey = importKey(keyInfo.raw);
  if (publicKey.asymmetricKeyType !== 'ec' || publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw refused('is not for a key on the curve P-256');
  return publicKey;
}

function importKey(der: Buffer): KeyObject {
  try {
    return createPublicKey({ key: der, type: 'spki', format: 'der' });
  } catch (cause) {
    throw refused('holds no usable key', cause);
  }
}

function verifies({ info, signature, publicKey }: { info: Element; signature: Element; publicKey: KeyObject }): boolean {
  return signature.contents[0] === 0 && verify('sha256', info.raw, publicKey, signature.contents.subarray(1));
}

const refused = (why: string, cause?: unknown): OrchError =>
  new OrchError('ORCH_INVALID', `The certificate request ${why}`, { cause, hint: 'Requests are made by `orch` itself: both nodes should run compatible versions' });
