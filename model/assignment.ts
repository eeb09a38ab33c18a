import type { ServiceId, TaskId, RevisionId, Labels } from './meta.ts';
import type { Revision } from './service.ts';
import type { DesiredState, TaskStatus } from './task.ts';

/** What a node must know of one of its tasks; with its revision it is enough to run it. */
export type AssignedTask = {
  readonly id: TaskId;
  readonly serviceId: ServiceId;
  readonly serviceName: string;
  readonly serviceLabels: Labels;
  readonly revisionId: RevisionId;
  readonly slot: number;
  readonly desired: DesiredState;
  /** Last status that the manager knows. */
  readonly status: TaskStatus;
};

/** A snapshot replaces everything the agent holds; a diff applies to `baseSequence` of the same epoch exactly. */
export type Assignments = {
  readonly snapshot: boolean;
  readonly epoch: string;
  readonly baseSequence: number;
  readonly sequence: number;
  readonly tasks: readonly AssignedTask[];
  readonly removedTaskIds: readonly TaskId[];
  readonly revisions: readonly Revision[];
  readonly removedRevisionIds: readonly RevisionId[];
  readonly bridgeSubnet?: string;
};
