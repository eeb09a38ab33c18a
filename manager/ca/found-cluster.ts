import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { Random } from '../../base/random.ts';
import { defaultClusterSpec } from '../../model/cluster.ts';
import type { Cluster, ClusterSpec } from '../../model/cluster.ts';
import { OrchError } from '../../model/errors.ts';
import type { NodeId } from '../../model/meta.ts';
import type { Store } from '../../store/store.ts';
import { createCa, openCa } from './certificate-authority.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { joinedNode } from './join-plane.ts';
import type { JoinedNode } from './join-plane.ts';
import { createJoinToken } from './join-tokens.ts';

export type FoundClusterOptions = {
  /** Empty; of this manager. */
  readonly store: Store;
  /** Seals the CA key; saved beforehand (`createDataKey`). */
  readonly dataKey: Uint8Array;
  /** CSR of the first manager. */
  readonly csrPem: string;
  readonly node: JoinedNode;
  readonly spec: Partial<ClusterSpec>;
  readonly clock: Clock;
  readonly random: Random;
};

export type FoundedCluster = { readonly cluster: Cluster; readonly ca: CertificateAuthority; readonly nodeId: NodeId; readonly certificatePem: string };

/** Makes a cluster: its CA, its join tokens, and its first manager with a certificate. Everything is durable when it resolves. Throws ORCH_ALREADY_IN_CLUSTER when the store holds one. */
export async function foundCluster(options: FoundClusterOptions): Promise<FoundedCluster> {
  const { store, dataKey, csrPem, clock, random } = options;
  const clusterId = newId(random);
  const nodeId = newId(random);
  const spec = { ...defaultClusterSpec, ...options.spec };
  const stored = await createCa({ clusterId, dataKey, clock, random });
  const ca = openCa({ clusterId, ca: stored, dataKey, clock, random });
  const certificatePem = ca.issue({ csrPem, nodeId, role: 'manager', lifeMs: spec.certificateLifeMs });
  const joinTokens = { worker: createJoinToken(stored.certificatePem, random), manager: createJoinToken(stored.certificatePem, random) };
  const cluster = await store.update((tx) => {
    if (tx.cluster.count > 0) throw new OrchError('ORCH_ALREADY_IN_CLUSTER', 'This node already is part of a cluster', { hint: 'Leave it first' });
    tx.node.create(joinedNode(options.node, { id: nodeId, role: 'manager', nowMs: clock.now() }));
    return tx.cluster.create({ id: clusterId, spec, ca: stored, joinTokens });
  });
  return { cluster, ca, nodeId, certificatePem };
}
