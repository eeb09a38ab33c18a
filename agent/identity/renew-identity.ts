import type { Random } from '../../base/random.ts';
import { OrchError } from '../../model/errors.ts';
import { certificateBackdateMs } from '../../proto/x509/profile.ts';
import { saveIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { createNodeKey } from './node-key.ts';

/** Renewal happens at a random point of this part of a certificate's life, so that nodes that joined together do not renew together. */
const EARLIEST = 0.5;
const LATEST = 0.8;

/** When to renew a certificate, ms since the Unix epoch. Its life counts from its issue, not from the time it is backdated to. */
export function renewalTimeMs({ notBeforeMs, notAfterMs }: Pick<Identity, 'notBeforeMs' | 'notAfterMs'>, random: Random): number {
  const issuedMs = Math.min(notBeforeMs + certificateBackdateMs, notAfterMs);
  return Math.round(issuedMs + (EARLIEST + random.next() * (LATEST - EARLIEST)) * (notAfterMs - issuedMs));
}

export type RenewalAsk = (csrPem: string) => Promise<{ readonly certificatePem: string; readonly caPem: string }>;

/** Gets a certificate for a new key and writes both, together, in place of the ones before. Throws what `ask` throws, and ORCH_INVALID for an answer that is not for this node and key. */
export async function renewIdentity(current: Identity, pkiDir: string, ask: RenewalAsk): Promise<Identity> {
  const { keyPem, csrPem } = await createNodeKey();
  const { certificatePem, caPem } = await ask(csrPem);
  return saveIdentity(pkiDir, { keyPem, certificatePem, caPem }, (renewed) => {
    if (renewed.nodeId === current.nodeId && renewed.clusterId === current.clusterId) return;
    throw new OrchError('ORCH_INVALID', `The renewed certificate is of node ${renewed.nodeId}, not of this node, ${current.nodeId}`);
  });
}
