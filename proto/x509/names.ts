import { encode, oid, sequence, set, tags, utf8String } from './der.ts';

/** Object identifiers of what orch's certificates hold. */
export const oids = {
  commonName: '2.5.4.3', organization: '2.5.4.10', organizationalUnit: '2.5.4.11',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19', keyUsage: '2.5.29.15', extendedKeyUsage: '2.5.29.37', subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14', authorityKeyIdentifier: '2.5.29.35',
  serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

export type Subject = { readonly commonName: string; readonly organizationalUnit: string; readonly organization: string };

/** An X.501 name: O, OU, CN, from the widest to the narrowest. */
export function encodeName({ commonName, organizationalUnit, organization }: Subject): Buffer {
  const attribute = (type: string, value: string): Buffer => set(sequence(oid(type), utf8String(value)));
  return sequence(attribute(oids.organization, organization), attribute(oids.organizationalUnit, organizationalUnit), attribute(oids.commonName, commonName));
}

/** The algorithm of all signatures: ECDSA with SHA-256. */
export const signatureAlgorithm = sequence(oid(oids.ecdsaWithSha256));

/** The version field's value. */
export const versionNumber = (version: number): Buffer => encode(tags.integer, Buffer.from([version]));
