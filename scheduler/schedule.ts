import type { NodeId, RevisionId } from '../model/meta.ts';
import type { Decision, PendingWork, Placement, PreassignedTask, TaskGroup, Unplaced } from './decision.ts';
import type { Cause, Explanation } from './explanation.ts';
import { explain } from './explanation.ts';
import { GroupPass } from './group-pass.ts';
import type { NodeEntry } from './node-table.ts';
import { occupancyCause, resourceCause } from './refusal.ts';
import type { Requirements } from './requirements.ts';
import { placementCause } from './requirements.ts';
import type { SchedulerState } from './scheduler-state.ts';

/**
 * Decides where waiting tasks run: preassigned tasks first, then group by group, each in one pass. The state counts every placement at once.
 * The same state and work give the same decision. `nowMs` only tells how old failures are.
 */
export function schedule(state: SchedulerState, work: PendingWork, nowMs: number): Decision {
  const placements: Placement[] = [];
  const unplaced: Unplaced[] = [];
  for (const task of work.preassigned) {
    const refused = placePreassigned(state, task);
    if (refused) unplaced.push(refused);
    else placements.push({ taskId: task.taskId, nodeId: task.nodeId });
  }
  for (const group of work.groups) {
    const decided = placeGroup(state, group, nowMs);
    for (const placement of decided.placements) placements.push(placement);
    unplaced.push(...decided.unplaced);
  }
  return { placements, unplaced };
}

/** Why the node cannot take a task of the revision now, by every filter; undefined when it can. The nearest thing to a dry run. */
export function checkNodeNow(state: SchedulerState, revisionId: RevisionId, nodeId: NodeId): Cause | undefined {
  const requirements = state.requirements(revisionId);
  const entry = state.table.find(nodeId);
  if (!entry?.node) return { kind: 'unknown', text: `node ${nodeId} is not in the cluster`, nodes: 0 };
  if (!requirements) return { kind: 'unknown', text: `revision ${revisionId} is not known yet`, nodes: 0 };
  return entry.stateCause ?? resourceCause(entry, requirements) ?? placementCause(requirements, entry.node)
    ?? occupancyCause(entry, requirements, state.serviceCounts(requirements.serviceId).get(entry.slot) ?? 0);
}

function placePreassigned(state: SchedulerState, { taskId, nodeId, serviceId, revisionId }: PreassignedTask): Unplaced | undefined {
  const cause = checkNodeNow(state, revisionId, nodeId);
  const requirements = state.requirements(revisionId);
  const entry = state.table.find(nodeId);
  if (!cause && requirements && entry) state.place(taskId, requirements, entry);
  if (!cause) return undefined;
  const explanation = cause.nodes > 0 ? explain([cause]) : { message: `no suitable node (${cause.text})`, causes: [cause] };
  return { serviceId, revisionId, taskIds: [taskId], explanation };
}

function placeGroup(state: SchedulerState, group: TaskGroup, nowMs: number): Decision {
  const { serviceId, revisionId, taskIds } = group;
  const requirements = state.requirements(revisionId);
  if (!requirements) return { placements: [], unplaced: [{ serviceId, revisionId, taskIds, explanation: { message: `revision ${revisionId} is not known yet`, causes: [] } }] };
  const known = state.stuck(revisionId);
  const placements = known ? [] : placeTasks(state, { requirements, taskIds, nowMs });
  const left = taskIds.slice(placements.length);
  if (left.length === 0) return { placements, unplaced: [] };
  const explanation = known ?? explainRefusals(state, requirements);
  state.setStuck(revisionId, explanation);
  return { placements, unplaced: [{ serviceId, revisionId, taskIds: left, explanation }] };
}

type Batch = { readonly requirements: Requirements; readonly taskIds: readonly string[]; readonly nowMs: number };

/** Places the first tasks of the batch, as many as there is room for. */
function placeTasks(state: SchedulerState, { requirements, taskIds, nowMs }: Batch): Placement[] {
  const avoid = new Set(state.failures.nodesToAvoid(requirements.revisionId, nowMs).flatMap((id) => state.table.find(id)?.slot ?? []));
  const pass = new GroupPass({ table: state.table, index: state.index(requirements), requirements, serviceCounts: state.serviceCounts(requirements.serviceId), avoid });
  const placements: Placement[] = [];
  for (const taskId of taskIds) {
    const entry = pass.next();
    if (!entry) break;
    state.place(taskId, requirements, entry);
    pass.took(entry);
    placements.push({ taskId, nodeId: entry.id });
  }
  return placements;
}

/** Counts every node for the first filter it fails. */
function explainRefusals(state: SchedulerState, requirements: Requirements): Explanation {
  const index = state.index(requirements);
  const serviceCounts = state.serviceCounts(requirements.serviceId);
  const refusalOf = (entry: NodeEntry): Pick<Cause, 'kind' | 'text'> | undefined => entry.stateCause ?? resourceCause(entry, requirements) ?? index.failedRule(entry.slot)
    ?? occupancyCause(entry, requirements, serviceCounts.get(entry.slot) ?? 0);
  const counted = new Map<string, Cause>();
  for (const entry of state.table.entries()) {
    const cause = entry?.node && refusalOf(entry);
    if (cause) counted.set(cause.text, { kind: cause.kind, text: cause.text, nodes: (counted.get(cause.text)?.nodes ?? 0) + 1 });
  }
  return explain([...counted.values()]);
}
