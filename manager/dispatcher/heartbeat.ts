import type { Random } from '../../base/random.ts';
import type { ClusterSpec } from '../../model/cluster.ts';

/** Silent periods after which a node counts as down. */
export const SILENT_PERIODS = 4;
const SHORTEST_MS = 1_000;
/** Heartbeats that one manager takes in a second at most. */
const HEARTBEATS_PER_S = 1_000;

/** The longest time between two heartbeats of an agent: as configured, else 1 s and more as the cluster grows. */
export function heartbeatPeriodMs(spec: ClusterSpec, nodeCount: number): number {
  if (spec.heartbeatPeriodMs > 0) return spec.heartbeatPeriodMs;
  return Math.max(SHORTEST_MS, Math.ceil(nodeCount * 1_000 / HEARTBEATS_PER_S));
}

/** The period one agent is told: up to a tenth shorter, so that agents that started together spread out and none is ever late. */
export const jitteredPeriodMs = (periodMs: number, random: Random): number => Math.round(periodMs * (0.9 + 0.1 * random.next()));
