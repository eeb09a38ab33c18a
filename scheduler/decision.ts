import type { NodeId, RevisionId, ServiceId, TaskId } from '../model/meta.ts';
import type { Explanation } from './explanation.ts';

/** Pending tasks of one revision of one service that may run on any node; decided in one pass. */
export type TaskGroup = { readonly serviceId: ServiceId; readonly revisionId: RevisionId; readonly taskIds: readonly TaskId[] };

/** A pending task that may run on one node only, as the tasks of a global service. */
export type PreassignedTask = { readonly serviceId: ServiceId; readonly revisionId: RevisionId; readonly taskId: TaskId; readonly nodeId: NodeId };

/** What waits for a decision. Earlier entries are decided first; preassigned tasks come before groups. */
export type PendingWork = { readonly preassigned: readonly PreassignedTask[]; readonly groups: readonly TaskGroup[] };

/** The decision that a task runs on a node. The state counts it from now on; `SchedulerState.rollback` takes it back. */
export type Placement = { readonly taskId: TaskId; readonly nodeId: NodeId };

/** Tasks of one group, or one preassigned task, for which there is no node now, and why. */
export type Unplaced = { readonly serviceId: ServiceId; readonly revisionId: RevisionId; readonly taskIds: readonly TaskId[]; readonly explanation: Explanation };

export type Decision = { readonly placements: readonly Placement[]; readonly unplaced: readonly Unplaced[] };
