import type { ServerUnaryCall } from '@grpc/grpc-js';
import { OrchError } from '../../model/errors.ts';
import type { ClusterId } from '../../model/meta.ts';
import type { Peer } from '../../proto/session-messages.ts';
import { formatTime } from '../../proto/time.ts';
import { readCertificate } from '../../proto/x509/certificate.ts';

/** What any kind of call tells about its caller. */
export type IdentifiedCall = Pick<ServerUnaryCall<Buffer, Buffer>, 'getAuthContext' | 'getPeer'>;

const REJOIN = 'Leave the cluster on that node and join with a token';

/** Who calls, by its client certificate. Throws ORCH_UNAUTHORIZED without one that the cluster's CA signed, that is valid now and names this cluster. */
export function identifyPeer(call: IdentifiedCall, expected: { clusterId: ClusterId; nowMs: number }): Peer {
  // Present only when TLS verified the chain against the cluster's CA.
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  if (!raw) throw new OrchError('ORCH_UNAUTHORIZED', 'The caller shows no valid certificate of this cluster: none, an expired one, or one of another cluster', { hint: REJOIN });
  const { commonName, organizationalUnit, organization, notAfterMs } = readCertificate(raw);
  if (organization !== expected.clusterId) throw new OrchError('ORCH_UNAUTHORIZED', `The certificate of node ${commonName} is of another cluster`, { hint: REJOIN });
  // The connection may be older than the certificate's end.
  if (notAfterMs <= expected.nowMs) throw new OrchError('ORCH_UNAUTHORIZED', `The certificate of node ${commonName} expired at ${formatTime(notAfterMs)}`, { hint: REJOIN });
  if (organizationalUnit !== 'worker' && organizationalUnit !== 'manager') throw new OrchError('ORCH_UNAUTHORIZED', `The certificate of ${commonName} is not that of a node`);
  return { nodeId: commonName, role: organizationalUnit, clusterId: organization, address: peerAddress(call.getPeer()) };
}

/** The address of gRPC's `ADDRESS:PORT`; IPv4 inside IPv6 becomes plain IPv4. */
export function peerAddress(peer: string): string {
  const colon = peer.lastIndexOf(':');
  const address = colon === -1 ? peer : peer.slice(0, colon);
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
