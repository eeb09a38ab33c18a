import { createHash, createPublicKey, sign, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { OrchError } from '../../model/errors.ts';
import { bitString, context, contextPrimitive, derTrue, octetString, oid, positiveInteger, readElements, readOnly, sequence, tags, time } from './der.ts';
import { encodeName, oids, signatureAlgorithm, versionNumber } from './names.ts';
import type { Subject } from './names.ts';
import { toPem } from './pem.ts';

/** Who signs: the CA's own certificate (undefined while it signs itself) and its private key. */
export type Issuer = { readonly certificateDer?: Uint8Array; readonly privateKey: KeyObject };

export type CertificateProfile = {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  /** 16 random bytes. */
  readonly serial: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** ca: signs certificates, and none of those may sign. node: proves who it is, as client and as server under `dnsNames`. */
  readonly use: { readonly type: 'ca' } | { readonly type: 'node'; readonly dnsNames: readonly string[] };
};

const KEY_USAGE_DIGITAL_SIGNATURE = bitString(Buffer.from([0x80]), 7);
const KEY_USAGE_SIGN_CERTIFICATES = bitString(Buffer.from([0x06]), 1);
const SAN_DNS_NAME = 2;

/** A signed X.509 v3 certificate, in PEM. */
export function signCertificate(profile: CertificateProfile, issuer: Issuer): string {
  const name = encodeName(profile.subject);
  const body = sequence(
    context(0, versionNumber(2)),
    positiveInteger(profile.serial),
    signatureAlgorithm,
    issuer.certificateDer ? subjectOf(issuer.certificateDer) : name,
    sequence(time(profile.notBeforeMs), time(profile.notAfterMs)),
    name,
    exportKey(profile.publicKey),
    context(3, sequence(...extensionsOf(profile, issuer))),
  );
  return toPem('CERTIFICATE', sequence(body, signatureAlgorithm, bitString(sign('sha256', body, issuer.privateKey))));
}

function extensionsOf({ use, publicKey }: CertificateProfile, issuer: Issuer): Buffer[] {
  const identifiers = [
    extension(oids.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
    extension(oids.authorityKeyIdentifier, sequence(contextPrimitive(0, keyIdentifier(createPublicKey(issuer.privateKey))))),
  ];
  if (use.type === 'ca') {
    const noFurtherCas = versionNumber(0);
    return [critical(oids.basicConstraints, sequence(derTrue, noFurtherCas)), critical(oids.keyUsage, KEY_USAGE_SIGN_CERTIFICATES), ...identifiers];
  }
  const names = use.dnsNames.map((name) => contextPrimitive(SAN_DNS_NAME, Buffer.from(name, 'latin1')));
  return [
    critical(oids.basicConstraints, sequence()),
    critical(oids.keyUsage, KEY_USAGE_DIGITAL_SIGNATURE),
    extension(oids.extendedKeyUsage, sequence(oid(oids.serverAuth), oid(oids.clientAuth))),
    extension(oids.subjectAltName, sequence(...names)),
    ...identifiers,
  ];
}

const extension = (type: string, value: Uint8Array): Buffer => sequence(oid(type), octetString(value));
const critical = (type: string, value: Uint8Array): Buffer => sequence(oid(type), derTrue, octetString(value));
const exportKey = (publicKey: KeyObject): Buffer => publicKey.export({ type: 'spki', format: 'der' });

/** RFC 5280 4.2.1.2 (1): SHA-1 of the key's bits; it names the key and protects nothing. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const [, bits] = readElements(readOnly(exportKey(publicKey), tags.sequence).contents);
  return createHash('sha1').update((bits?.contents ?? Buffer.alloc(0)).subarray(1)).digest();
}

/** The subject's name as it stands in a certificate: an issuer field must repeat it byte for byte. */
function subjectOf(certificateDer: Uint8Array): Buffer {
  const [body] = readElements(readOnly(certificateDer, tags.sequence).contents);
  const SUBJECT = 5; // after [0] version, serial, algorithm, issuer, validity
  const subject = body && readElements(body.contents)[SUBJECT];
  if (subject?.tag === tags.sequence) return subject.raw;
  throw new OrchError('ORCH_CORRUPT', 'The CA certificate has no subject');
}

/** What orch reads of a certificate. */
export type CertificateFacts = Subject & { readonly certificate: X509Certificate; readonly notBeforeMs: number; readonly notAfterMs: number };

/** Reads a certificate in PEM or DER. Throws ORCH_INVALID when it is none, or has not one CN, OU and O each. */
export function readCertificate(source: string | Uint8Array): CertificateFacts {
  const certificate = parseCertificate(source);
  const { CN, OU, O } = certificate.toLegacyObject().subject;
  if (typeof CN !== 'string' || typeof OU !== 'string' || typeof O !== 'string') throw new OrchError('ORCH_INVALID', 'The certificate does not name one node, one role and one cluster');
  return {
    certificate, commonName: CN, organizationalUnit: OU, organization: O,
    notBeforeMs: certificate.validFromDate.getTime(), notAfterMs: certificate.validToDate.getTime(),
  };
}

function parseCertificate(source: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(source);
  } catch (cause) {
    throw new OrchError('ORCH_INVALID', 'The text is no certificate', { cause });
  }
}

/** True when `ca` signed `certificate`. Says nothing about time. */
export function isIssuedBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  return ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}
