import type { Node } from '../../model/node.ts';
import { meetsConstraint, parseConstraint, type Constraint } from '../../model/placement.ts';
import type { Placement } from '../../model/service.ts';
import { isWanted, type Task } from '../../model/task.ts';
import type { Membership } from './plan-replicated.ts';
import { isOccupied, isStopping, nextAttempt, type Slot } from './slots.ts';
import { setDesired, type Action, type ServiceSnapshot } from './snapshot.ts';

/**
 * Pure: one slot on every node that meets the placement, is not drained, and has been ready once.
 * A node that is down keeps its tasks, since they can run nowhere else: a cut network line must not restart them. Paused nodes keep theirs and get no new ones.
 */
export function planGlobal(snapshot: ServiceSnapshot, slots: ReadonlyMap<string, Slot>): Membership {
  const eligible = eligibility(snapshot.template(snapshot.service.revisionId).placement);
  const actions: Action[] = [];
  const kept: Slot[] = [];
  const known = new Set<string>();
  for (const node of snapshot.nodes()) {
    known.add(node.id);
    const slot = slots.get(node.id);
    if (!eligible(node)) actions.push(...(slot ? setDesired(slot.tasks.filter(isWantedTask), 'shutdown') : []));
    else if (node.status.state === 'down') actions.push(...outdated(snapshot, slot));
    else if (slot && isOccupied(slot)) kept.push(slot);
    else if (node.status.state === 'ready' && node.spec.availability === 'active') actions.push(create(snapshot, node, slot));
  }
  for (const [nodeId, slot] of slots) if (!known.has(nodeId)) actions.push(...setDesired(slot.tasks, 'remove'));
  return { kept, actions };
}

const isWantedTask = (task: Task): boolean => isWanted(task.desired);

/** Tasks of a node that is down and that would be of an old revision when it comes back. */
const outdated = (snapshot: ServiceSnapshot, slot: Slot | undefined): Action[] =>
  setDesired((slot?.tasks ?? []).filter((task) => isWanted(task.desired) && task.revisionId !== snapshot.service.revisionId), 'shutdown');

function create(snapshot: ServiceSnapshot, node: Node, slot: Slot | undefined): Action {
  const stopping = slot?.tasks.some((task) => isStopping(task, snapshot)) ?? false;
  return { type: 'create-task', slot: 0, nodeId: node.id, attempt: nextAttempt(slot), revisionId: snapshot.service.revisionId, desired: stopping ? 'ready' : 'running', replaces: [] };
}

function eligibility(placement: Placement): (node: Node) => boolean {
  const constraints: readonly Constraint[] = placement.constraints.map(parseConstraint);
  return (node) => node.spec.availability !== 'drain' && runsOn(placement, node) && constraints.every((constraint) => meetsConstraint(constraint, node));
}

const runsOn = ({ platforms }: Placement, { description }: Node): boolean =>
  platforms.length === 0 || description === undefined
  || platforms.some(({ os, arch }) => (os === '' || os === description.platform.os) && (arch === '' || arch === description.platform.arch));
