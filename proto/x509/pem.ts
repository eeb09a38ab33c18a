import { OrchError } from '../../model/errors.ts';

/** Kinds of PEM blocks that orch writes. */
export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'PRIVATE KEY';

/** The text form of `der`, 64 characters a line, with a newline at its end. */
export function toPem(label: PemLabel, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** All blocks of one kind in `pem`, each as text and as bytes, in their order. */
export function pemBlocks(label: PemLabel, pem: string): { readonly text: string; readonly der: Buffer }[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----\\s([A-Za-z0-9+/=\\s]*)-----END ${label}-----`, 'g');
  return [...pem.matchAll(pattern)].map(([text, base64 = '']) => ({ text: `${text}\n`, der: Buffer.from(base64, 'base64') }));
}

/** The bytes of the first block of this kind. Throws ORCH_INVALID when there is none. */
export function fromPem(label: PemLabel, pem: string): Buffer {
  const [block] = pemBlocks(label, pem);
  if (block) return block.der;
  throw new OrchError('ORCH_INVALID', `The text holds no PEM block "${label}"`);
}
