import { OrchError } from '../../model/errors.ts';
import type { NodeId } from '../../model/meta.ts';
import type { Node, NodeRole } from '../../model/node.ts';
import type { NodePlane, Peer } from '../../proto/session-messages.ts';
import type { Store } from '../../store/store.ts';
import type { CertificateAuthority } from './certificate-authority.ts';

export type RenewalOptions = {
  readonly store: Store;
  readonly ca: CertificateAuthority;
  /** The role a node's next certificate proves; by default what its spec wishes. */
  readonly roleOf?: (node: Node) => NodeRole;
};

/** `NodePlane.renewCertificate`: a new certificate for a node that the cluster knows and has not removed, with the role it has now. */
export function openRenewal({ store, ca, roleOf = (node) => node.spec.role }: RenewalOptions): NodePlane['renewCertificate'] {
  return (peer: Peer, csrPem: string) => {
    const { node, lifeMs } = store.view((view) => ({
      node: view.blockedNode.get(peer.nodeId) ? undefined : view.node.get(peer.nodeId),
      lifeMs: view.cluster.get(ca.clusterId)?.spec.certificateLifeMs,
    }));
    if (!node) return Promise.reject(removedNode(peer.nodeId));
    if (lifeMs === undefined) return Promise.reject(new OrchError('ORCH_NOT_MANAGER', 'This manager does not hold the cluster yet', { hint: 'Try again in a moment' }));
    return Promise.try(() => ({ certificatePem: ca.issue({ csrPem, nodeId: node.id, role: roleOf(node), lifeMs }), caPem: ca.certificatePem }));
  };
}

const removedNode = (nodeId: NodeId): OrchError =>
  new OrchError('ORCH_FORBIDDEN', `Node ${nodeId} has been removed from the cluster`, { hint: 'To use it again, leave the cluster on that node and join with a token' });
