import type { Cluster, ClusterSpec } from '../../model/cluster.ts';
import type { NodeAvailability } from '../../model/node.ts';
import type { SwarmInit, SwarmJoin } from '../control-plane.ts';
import { bodyProblems } from './body-problems.ts';
import { nanoseconds } from './container-spec.ts';
import { ObjectReader } from './object-reader.ts';
import { formatTime } from './time.ts';
import { withoutUndefined } from './without-undefined.ts';

const DEFAULT_LISTEN_ADDRESS = '0.0.0.0:2377';
/** UDP port of VXLAN. */
const DATA_PATH_PORT = 4789;
/** Every node takes a /24 of the pool. */
const SUBNET_SIZE = 24;
const availabilities = ['active', 'pause', 'drain'] as const;

/** Docker's SwarmSpec as changes to a cluster spec: as Docker, what is missing stays as it is. Throws ORCH_INVALID, ORCH_UNSUPPORTED. */
export function readClusterSpec(body: unknown): Partial<ClusterSpec> {
  const problems = bodyProblems();
  const spec = readSpec(new ObjectReader(body ?? {}, '', problems));
  problems.throwIfAny();
  return spec;
}

function readSpec(reader: ObjectReader): Partial<ClusterSpec> {
  const orchestration = reader.object('Orchestration');
  const dispatcher = reader.object('Dispatcher');
  const authority = reader.object('CAConfig');
  const encryption = reader.object('EncryptionConfig');
  const spec = withoutUndefined({
    name: reader.text('Name'), labels: reader.textMap('Labels'),
    taskHistoryLimit: orchestration.integer('TaskHistoryRetentionLimit', { min: Number.MIN_SAFE_INTEGER }),
    heartbeatPeriodMs: dispatcher.durationMs('HeartbeatPeriod'), // 0 is a wish: that it adapts again
    certificateLifeMs: authority.durationMs('NodeCertExpiry') || undefined,
  });
  for (const part of [orchestration, dispatcher]) part.end();
  authority.end(['ExternalCAs', 'SigningCACert', 'SigningCAKey', 'ForceRotate']);
  encryption.end(['AutoLockManagers']);
  reader.end(['Raft', 'TaskDefaults']);
  return spec;
}

/** Docker's SwarmInitRequest. */
export function readSwarmInit(body: unknown): SwarmInit {
  const problems = bodyProblems();
  const reader = new ObjectReader(body ?? {}, '', problems);
  const spec = reader.object('Spec');
  const pool = readAddressPool(reader);
  const init: SwarmInit = {
    listenAddress: reader.text('ListenAddr') ?? DEFAULT_LISTEN_ADDRESS,
    advertiseAddress: reader.text('AdvertiseAddr') ?? '',
    availability: readAvailability(reader),
    forceNewCluster: reader.flag('ForceNewCluster') ?? false,
    spec: { ...readSpec(spec), ...(pool === undefined ? {} : { bridgePool: pool }) },
  };
  const port = reader.amount('DataPathPort') ?? DATA_PATH_PORT;
  if (port !== DATA_PATH_PORT) reader.unsupported('DataPathPort', `orch uses port ${DATA_PATH_PORT} between nodes`);
  reader.end(['DataPathAddr', 'AutoLockManagers']);
  problems.throwIfAny();
  return init;
}

function readAddressPool(reader: ObjectReader): string | undefined {
  const [pool, ...more] = reader.texts('DefaultAddrPool') ?? [];
  if (more.length > 0) reader.unsupported('DefaultAddrPool', 'orch takes one pool of addresses');
  const size = reader.amount('SubnetSize') ?? SUBNET_SIZE;
  if (size !== SUBNET_SIZE) reader.unsupported('SubnetSize', `orch gives every node a subnet of /${SUBNET_SIZE}`);
  return pool;
}

const readAvailability = (reader: ObjectReader): NodeAvailability => reader.oneOf('Availability', availabilities) ?? 'active';

/** Docker's SwarmJoinRequest. */
export function readSwarmJoin(body: unknown): SwarmJoin {
  const problems = bodyProblems();
  const reader = new ObjectReader(body ?? {}, '', problems);
  const join: SwarmJoin = {
    token: reader.requiredText('JoinToken'),
    managerAddresses: reader.texts('RemoteAddrs') ?? [],
    advertiseAddress: reader.text('AdvertiseAddr') ?? '',
    listenAddress: reader.text('ListenAddr') ?? DEFAULT_LISTEN_ADDRESS,
    availability: readAvailability(reader),
  };
  if (join.managerAddresses.length === 0) reader.invalid('RemoteAddrs', 'must name at least one manager');
  reader.end(['DataPathAddr']);
  problems.throwIfAny();
  return join;
}

/** Docker's ClusterInfo: all of a Swarm but its tokens. */
export function dockerClusterInfo(cluster: Cluster): object {
  return {
    ID: cluster.id, Version: { Index: cluster.version }, CreatedAt: formatTime(cluster.createdAtMs), UpdatedAt: formatTime(cluster.updatedAtMs),
    Spec: dockerClusterSpec(cluster.spec),
    TLSInfo: { TrustRoot: cluster.ca.certificatePem },
    RootRotationInProgress: false,
    DataPathPort: DATA_PATH_PORT, DefaultAddrPool: [cluster.spec.bridgePool], SubnetSize: SUBNET_SIZE,
  };
}

/** Docker's Swarm. */
export const dockerSwarm = (cluster: Cluster): object =>
  ({ ...dockerClusterInfo(cluster), JoinTokens: { Worker: cluster.joinTokens.worker, Manager: cluster.joinTokens.manager } });

const dockerClusterSpec = (spec: ClusterSpec): object => ({
  Name: spec.name, Labels: spec.labels,
  Orchestration: { TaskHistoryRetentionLimit: spec.taskHistoryLimit },
  Dispatcher: spec.heartbeatPeriodMs === 0 ? {} : { HeartbeatPeriod: nanoseconds(spec.heartbeatPeriodMs) },
  CAConfig: { NodeCertExpiry: nanoseconds(spec.certificateLifeMs) },
  Raft: {}, TaskDefaults: {}, EncryptionConfig: { AutoLockManagers: false },
});
