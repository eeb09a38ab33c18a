import type { ClusterSpec } from './cluster.ts';
import { parseIpv4Cidr } from './ip.ts';
import { nameProblem } from './names.ts';
import type { NodeSpec } from './node.ts';
import type { Problem } from './problems.ts';
import { labelProblems, oneOf, problemAt, requireThat, wholeNumber } from './problems.ts';

/** Shorter lives could not be renewed in time after an hour's outage; Swarm's. */
const MIN_CERTIFICATE_LIFE_MS = 3_600_000;
/** With shorter ones a node that is merely busy would be taken for dead, and all its tasks replaced; Swarm's. */
const MIN_HEARTBEAT_PERIOD_MS = 1_000;
/** Every node takes a /24 of the pool. */
const MAX_BRIDGE_POOL_PREFIX = 24;

/** Everything wrong with a node spec at once; an empty name is fine, the node then goes by its hostname. */
export function validateNodeSpec(spec: NodeSpec): Problem[] {
  return [
    ...problemAt('name', spec.name === '' ? undefined : nameProblem('node', spec.name)),
    ...labelProblems('labels', spec.labels),
    ...oneOf('role', spec.role, ['worker', 'manager']),
    ...oneOf('availability', spec.availability, ['active', 'pause', 'drain']),
  ];
}

/** Everything wrong with a cluster spec at once. */
export function validateClusterSpec(spec: ClusterSpec): Problem[] {
  const pool = parseIpv4Cidr(spec.bridgePool);
  return [
    ...problemAt('name', nameProblem('cluster', spec.name)),
    ...labelProblems('labels', spec.labels),
    ...requireThat('taskHistoryLimit', Number.isSafeInteger(spec.taskHistoryLimit), `must be a whole number, not ${spec.taskHistoryLimit}`),
    ...spec.heartbeatPeriodMs === 0 ? [] : wholeNumber('heartbeatPeriodMs', spec.heartbeatPeriodMs, { min: MIN_HEARTBEAT_PERIOD_MS }),
    ...wholeNumber('certificateLifeMs', spec.certificateLifeMs, { min: MIN_CERTIFICATE_LIFE_MS }),
    ...requireThat('bridgePool', pool !== undefined && pool.prefix <= MAX_BRIDGE_POOL_PREFIX, `must be an IPv4 network of /${MAX_BRIDGE_POOL_PREFIX} or larger such as 10.200.0.0/16, not "${spec.bridgePool}"`),
  ];
}
