import { OrchError } from './errors.ts';
import type { Node, Platform } from './node.ts';

/** What a placement expression can ask of a node. */
export type NodeAttribute = 'node.id' | 'node.hostname' | 'node.role' | 'node.platform.os' | 'node.platform.arch';

/** The left side of a constraint. Attribute names are matched in any case; label names in theirs. */
export type PlacementKey =
  | { readonly type: 'attribute'; readonly name: NodeAttribute }
  | { readonly type: 'node-label' | 'engine-label'; readonly name: string };

/** A condition that a node must meet to take a task. */
export type Constraint = { readonly key: PlacementKey; readonly operator: '==' | '!='; readonly value: string };

/** A label whose values the tasks of a service are spread over evenly. */
export type SpreadKey = PlacementKey & { readonly type: 'node-label' | 'engine-label' };

/** How each attribute is read off a node; undefined is never equal to anything. */
const attributes: Readonly<Record<NodeAttribute, (node: Node) => string | undefined>> = {
  'node.id': (node) => node.id,
  'node.hostname': (node) => node.description?.hostname,
  'node.role': (node) => node.role,
  'node.platform.os': (node) => node.description?.platform.os,
  'node.platform.arch': (node) => node.description?.platform.arch,
};
const NODE_LABELS = 'node.labels.';
const ENGINE_LABELS = 'engine.labels.';
const keyNames = [...Object.keys(attributes), `${NODE_LABELS}NAME`, `${ENGINE_LABELS}NAME`].join(', ');
const labelNamePattern = /^[a-z0-9_][a-z0-9_.\-/]*$/i;
/** Leaves `<`, `>`, `~`, `=`, `!` and `,` free for operators that may come. */
const valuePattern = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/@]+$/i;
/** Names of processors that people write, and the name that OCI images and nodes use. */
const archAliases: ReadonlyMap<string, string> = new Map([['x86_64', 'amd64'], ['aarch64', 'arm64'], ['armhf', 'arm'], ['armv7l', 'arm']]);

/** Reads `node.labels.disk == ssd` or `node.role!=manager`. Throws ORCH_INVALID naming the text. */
export function parseConstraint(text: string): Constraint {
  const invalid = (why: string): OrchError => new OrchError('ORCH_INVALID', `"${text}" is not a valid placement constraint: ${why}`,
    { hint: 'Write KEY==VALUE or KEY!=VALUE, for example node.labels.disk==ssd' });
  const match = /^([^=!]*)(==|!=)(.*)$/s.exec(text);
  if (!match) throw invalid('it has neither == nor !=');
  const [, left = '', operator, right = ''] = match;
  const key = readKey(left.trim());
  if (!key) throw invalid(`the key "${left.trim()}" must be one of ${keyNames}`);
  const value = right.trim();
  if (value === '') throw invalid('the value is missing');
  if (!valuePattern.test(value)) throw invalid(`the value "${value}" has a character that is not allowed`);
  return { key, operator: operator === '==' ? '==' : '!=', value };
}

/** The text that `parseConstraint` reads back as the same constraint. */
export const formatConstraint = (constraint: Constraint): string =>
  `${formatPlacementKey(constraint.key)} ${constraint.operator} ${constraint.value}`;

/** Reads `node.labels.zone` or `engine.labels.zone`, the only things tasks can be spread over. Throws ORCH_INVALID naming the text. */
export function parseSpread(text: string): SpreadKey {
  const key = readKey(text.trim());
  if (key && key.type !== 'attribute') return { type: key.type, name: key.name };
  throw new OrchError('ORCH_INVALID', `"${text}" is not a valid placement preference: tasks spread over ${NODE_LABELS}NAME or ${ENGINE_LABELS}NAME`,
    { hint: 'Write, for example, spread=node.labels.zone' });
}

/** The text that `parseSpread` (or a constraint's left side) reads back as the same key. */
export function formatPlacementKey(key: PlacementKey): string {
  if (key.type === 'attribute') return key.name;
  return (key.type === 'node-label' ? NODE_LABELS : ENGINE_LABELS) + key.name;
}

/** The node's value for `key`. A missing label is `""`; undefined when the node has not described itself yet. */
export function placementValue(key: PlacementKey, node: Node): string | undefined {
  if (key.type === 'attribute') return attributes[key.name](node);
  const labels = key.type === 'node-label' ? node.spec.labels : node.description?.engineLabels;
  return labels !== undefined && Object.hasOwn(labels, key.name) ? labels[key.name] : '';
}

/** True when `node` meets the constraint. Values compare without regard to case; a missing label is `""`, so `!=` holds and `==` does not. */
export const meetsConstraint = (constraint: Constraint, node: Node): boolean => acceptsValue(constraint, placementValue(constraint.key, node));

/** True when a node whose `placementValue` for the constraint's key is `actual` meets the constraint. */
export function acceptsValue(constraint: Constraint, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  return (comparable(constraint.key, actual) === comparable(constraint.key, constraint.value)) === (constraint.operator === '==');
}

function readKey(text: string): PlacementKey | undefined {
  const lower = text.toLowerCase();
  if (isNodeAttribute(lower)) return { type: 'attribute', name: lower };
  for (const [prefix, type] of [[NODE_LABELS, 'node-label'], [ENGINE_LABELS, 'engine-label']] as const) {
    const name = text.slice(prefix.length);
    if (lower.startsWith(prefix) && labelNamePattern.test(name)) return { type, name };
  }
  return undefined;
}

const isNodeAttribute = (text: string): text is NodeAttribute => Object.hasOwn(attributes, text);

const comparable = (key: PlacementKey, value: string): string =>
  key.type === 'attribute' && key.name === 'node.platform.arch' ? normalArch(value) : value.toLowerCase();

/** True when an image for `wanted` runs on `actual`. An empty os or arch in `wanted` is any; `x86_64` is `amd64`. */
export function runsOn(wanted: Platform, actual: Platform): boolean {
  return (wanted.os === '' || wanted.os.toLowerCase() === actual.os.toLowerCase()) && (wanted.arch === '' || normalArch(wanted.arch) === normalArch(actual.arch));
}

function normalArch(arch: string): string {
  const lower = arch.toLowerCase();
  return archAliases.get(lower) ?? lower;
}
