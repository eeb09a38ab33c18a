import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { Random } from '../../base/random.ts';
import type { Cluster } from '../../model/cluster.ts';
import { OrchError } from '../../model/errors.ts';
import type { NodeId } from '../../model/meta.ts';
import type { NodeAvailability, NodeRole } from '../../model/node.ts';
import type { JoinPlane } from '../../proto/session-messages.ts';
import { caDigestOf, parseJoinToken } from '../../proto/join-token.ts';
import { formatTime } from '../../proto/time.ts';
import { publicKeyOfRequest } from '../../proto/x509/certificate-request.ts';
import { maxClockSkewMs } from '../../proto/x509/profile.ts';
import type { NewObject, Store } from '../../store/store.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { roleOfToken } from './join-tokens.ts';

/** What a new node says of itself, and where it was seen. */
export type JoinedNode = Pick<Parameters<JoinPlane['issueCertificate']>[0], 'availability' | 'hostname' | 'advertiseAddress' | 'remoteAddress'>;
export type JoinPlaneOptions = { readonly store: Store; readonly ca: CertificateAuthority; readonly clock: Clock; readonly random: Random; /** Whether more managers may join; default false: this cluster has one. */ readonly acceptManagers?: boolean };

/** Lets nodes with a valid token into the cluster: makes the node's record, then its certificate. Throws ORCH_UNSUPPORTED for a manager's token where no more managers may join. */
export function openJoinPlane({ store, ca, clock, random, acceptManagers = false }: JoinPlaneOptions): JoinPlane {
  return {
    ca: () => ({ caPem: ca.certificatePem, nowMs: clock.now() }),
    async issueCertificate(request) {
      const cluster = store.view((view) => view.cluster.get(ca.clusterId));
      if (!cluster) throw new OrchError('ORCH_NOT_MANAGER', 'This manager does not hold the cluster yet', { hint: 'Try again in a moment' });
      const role = checkToken(request.token, cluster);
      checkClock(request.nowMs, clock.now());
      if (role === 'manager' && !acceptManagers) throw new OrchError('ORCH_UNSUPPORTED', 'This cluster has its manager, and a second one is not possible yet', { hint: 'Join as a worker, with the token of `orch token worker`' });
      publicKeyOfRequest(request.csrPem);
      const nodeId = newId(random);
      const node = joinedNode(request, { id: nodeId, role, nowMs: clock.now() });
      await store.update((tx) => {
        // Read again in the transaction: the token may have been rotated in between.
        const current = tx.cluster.get(ca.clusterId);
        if (current) checkToken(request.token, current);
        tx.node.create(node);
      });
      const certificatePem = ca.issue({ csrPem: request.csrPem, nodeId, role, lifeMs: cluster.spec.certificateLifeMs });
      return { nodeId, certificatePem, caPem: ca.certificatePem, clusterId: ca.clusterId, role };
    },
  };
}

function checkToken(token: string, cluster: Cluster): NodeRole {
  const { caDigest } = parseJoinToken(token);
  if (caDigest !== caDigestOf(cluster.ca.certificatePem)) throw new OrchError('ORCH_BAD_TOKEN', 'The join token is of another cluster', { hint: 'Ask a manager of this cluster for its token' });
  const role = roleOfToken(token, cluster.joinTokens);
  if (role) return role;
  throw new OrchError('ORCH_BAD_TOKEN', 'The join token is not valid: it was mistyped, or it has been rotated', { hint: 'Ask a manager for the current token' });
}

function checkClock(joinerMs: number, managerMs: number): void {
  if (Math.abs(joinerMs - managerMs) <= maxClockSkewMs) return;
  throw new OrchError('ORCH_CLOCK_SKEW', `The clocks of the new node (${formatTime(joinerMs)}) and of the manager (${formatTime(managerMs)}) differ by more than ${maxClockSkewMs / 60_000} minutes`, {
    details: { joinerMs, managerMs }, hint: 'Set both clocks, for example with NTP, and join again',
  });
}

/** The record of a node that has its certificate and has not been heard of since. Throws ORCH_INVALID for an unknown availability. */
export function joinedNode(request: JoinedNode, { id, role, nowMs }: { id: NodeId; role: NodeRole; nowMs: number }): NewObject<'node'> {
  const called = request.hostname === '' ? '' : ` as ${request.hostname}`;
  return {
    id, role,
    spec: { name: '', labels: {}, role, availability: parseAvailability(request.availability) },
    status: { state: 'unknown', message: `Joined${called}, has not opened a session yet`, address: request.advertiseAddress || request.remoteAddress, atMs: nowMs },
    ...(request.advertiseAddress === '' ? {} : { advertiseAddress: request.advertiseAddress }),
  };
}

function parseAvailability(text: string): NodeAvailability {
  if (text === 'active' || text === 'pause' || text === 'drain') return text;
  throw new OrchError('ORCH_INVALID', `Availability "${text}" is not one of active, pause, drain`);
}
