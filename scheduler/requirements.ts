import { isOrchError } from '../model/errors.ts';
import type { Node, Platform } from '../model/node.ts';
import type { SpreadKey } from '../model/placement.ts';
import { acceptsValue, formatConstraint, formatPlacementKey, parseConstraint, parseSpread, placementValue, runsOn } from '../model/placement.ts';
import type { Placement, PublishedPort, Revision } from '../model/service.ts';
import type { Cause, CauseKind } from './explanation.ts';

/** A condition on a node that only changes when the node's own description or spec does. */
export type Rule = {
  readonly kind: CauseKind;
  /** What to say of a node that fails it. */
  readonly text: string;
  /** The property that the rule looks at; rules with the same name read it in the same way. */
  readonly column: string;
  read(node: Node): string | undefined;
  accepts(value: string | undefined): boolean;
};

/** A port that every task of the revision binds on its node. */
export type HostPort = { /** `8080/tcp` */ readonly name: string; readonly inUse: Cause };

/** What a revision asks of a node, read once from its template. */
export type Requirements = {
  readonly serviceId: string;
  readonly revisionId: string;
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** Platform first, then constraints in the user's order. */
  readonly rules: readonly Rule[];
  readonly spread: readonly SpreadKey[];
  readonly hostPorts: readonly HostPort[];
  /** Infinity when there is no maximum. */
  readonly maxPerNode: number;
  /** Equal for revisions with the same rules and spread, which can thus share an index of nodes. */
  readonly indexKey: string;
};

/** Reads a revision. An expression that cannot be parsed is a rule that no node meets, so that the explanation shows it. */
export function requirementsOf(revision: Revision): Requirements {
  const { placement, resources } = revision.template;
  const spread = placement.spread.map((text) => readOrRefuse(text, parseSpread, 'preference'));
  const rules = [...platformRules(placement), ...placement.constraints.map(constraintRule), ...spread.flatMap((read) => 'rule' in read ? [read.rule] : [])];
  const keys = spread.flatMap((read) => 'value' in read ? [read.value] : []);
  return {
    serviceId: revision.serviceId,
    revisionId: revision.id,
    nanoCpus: resources.reservations.nanoCpus ?? 0,
    memoryBytes: resources.reservations.memoryBytes ?? 0,
    rules,
    spread: keys,
    hostPorts: revision.ports.filter(isHostPort).map(hostPort),
    maxPerNode: placement.maxReplicasPerNode || Number.POSITIVE_INFINITY,
    indexKey: JSON.stringify([rules.map((rule) => rule.text), keys.map(formatPlacementKey)]),
  };
}

/** The first rule (platform, then constraints) that the node fails; undefined when it meets them all. Says nothing of the node's state or load. */
export function placementCause(requirements: Requirements, node: Node): Cause | undefined {
  const rule = requirements.rules.find((candidate) => !candidate.accepts(candidate.read(node)));
  return rule && { kind: rule.kind, text: rule.text, nodes: 1 };
}

/** Why the node takes no new task of anyone; undefined when it is ready and active. */
export function stateCause(node: Node): Cause | undefined {
  const { state } = node.status;
  if (state !== 'ready') return stateCauses[state];
  if (node.spec.availability !== 'active') return stateCauses[node.spec.availability];
  return node.description ? undefined : stateCauses.unknown;
}

const stateCauses = {
  down: { kind: 'down', text: 'node is down', nodes: 1 },
  disconnected: { kind: 'disconnected', text: 'node is disconnected', nodes: 1 },
  unknown: { kind: 'unknown', text: 'node has not reported yet', nodes: 1 },
  drain: { kind: 'drained', text: 'node is drained', nodes: 1 },
  pause: { kind: 'paused', text: 'node is paused', nodes: 1 },
} as const satisfies Readonly<Record<string, Cause>>;

const isHostPort = (port: PublishedPort): boolean => port.mode === 'host' && port.publishedPort !== 0;

function hostPort(port: PublishedPort): HostPort {
  const name = `${port.publishedPort}/${port.protocol}`;
  return { name, inUse: { kind: 'host-port', text: `host port ${name} in use`, nodes: 1 } };
}

function platformRules({ platforms }: Placement): Rule[] {
  if (platforms.length === 0) return [];
  return [{
    kind: 'platform',
    text: `platform ${platforms.map(formatPlatform).join(' or ')} not available`,
    column: 'platform',
    read: ({ description }) => description && `${description.platform.os}/${description.platform.arch}`,
    accepts(value) {
      const [os, arch] = value?.split('/') ?? [];
      return os !== undefined && arch !== undefined && platforms.some((platform) => runsOn(platform, { os, arch }));
    },
  }];
}

const formatPlatform = ({ os, arch }: Platform): string => [os || 'any', arch].filter((part) => part !== '').join('/');

function constraintRule(text: string): Rule {
  const read = readOrRefuse(text, parseConstraint, 'constraint');
  if ('rule' in read) return read.rule;
  const constraint = read.value;
  return {
    kind: 'constraint',
    text: `constraint ${formatConstraint(constraint)} not met`,
    column: formatPlacementKey(constraint.key),
    read: (node) => placementValue(constraint.key, node),
    accepts: (value) => acceptsValue(constraint, value),
  };
}

function readOrRefuse<T>(text: string, parse: (text: string) => T, kind: 'constraint' | 'preference'): { readonly value: T } | { readonly rule: Rule } {
  try {
    return { value: parse(text) };
  } catch (error) {
    if (!isOrchError(error, 'ORCH_INVALID')) throw error;
    return { rule: { kind, text: `${kind} "${text}" not understood`, column: 'none', read: () => undefined, accepts: () => false } };
  }
}
