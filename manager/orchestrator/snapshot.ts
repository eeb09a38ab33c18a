import type { NodeId, RevisionId, TaskId } from '../../model/meta.ts';
import type { Node } from '../../model/node.ts';
import type { Service, TaskTemplate, UpdateStatus } from '../../model/service.ts';
import type { DesiredState, Task } from '../../model/task.ts';

/** All that the planners of one service look at, as of one revision of the store. */
export type ServiceSnapshot = {
  readonly service: Service;
  /** Every stored task of the service, in any order. */
  readonly tasks: readonly Task[];
  readonly nowMs: number;
  node(id: NodeId): Node | undefined;
  /** Every node of the cluster; asked only for global services. */
  nodes(): Iterable<Node>;
  /** The template of a revision; that of the service when the revision is gone. */
  template(revisionId: RevisionId): TaskTemplate;
};

/** One change to make; each is safe to apply alone, so a long plan may be cut anywhere. */
export type Action =
  | {
    readonly type: 'create-task';
    /** 0 for global services. */
    readonly slot: number;
    /** Set for global services: the node is the slot. */
    readonly nodeId: NodeId | undefined;
    /** Greater than that of every task in the slot. */
    readonly attempt: number;
    readonly revisionId: RevisionId;
    readonly desired: 'ready' | 'running';
    /** Told to shut down in the same commit. */
    readonly replaces: readonly TaskId[];
  }
  | { readonly type: 'set-desired'; readonly taskId: TaskId; readonly desired: DesiredState }
  | { readonly type: 'set-update-status'; readonly status: UpdateStatus }
  /** Returns the service to its previous spec. */
  | { readonly type: 'roll-back'; readonly status: UpdateStatus };

export type Plan = {
  readonly actions: readonly Action[];
  /** When to plan again though nothing has changed; undefined when only a change can matter. */
  readonly wakeAtMs: number | undefined;
};

export const emptyPlan: Plan = { actions: [], wakeAtMs: undefined };

/** The earlier of two times, where undefined is never. */
export const earlier = (a: number | undefined, b: number | undefined): number | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
};

/** All actions in the order of the plans, and the earliest time to plan again. */
export function mergePlans(plans: Iterable<Plan>): Plan {
  const actions: Action[] = [];
  let wakeAtMs: number | undefined;
  for (const plan of plans) {
    for (const action of plan.actions) actions.push(action);
    wakeAtMs = earlier(wakeAtMs, plan.wakeAtMs);
  }
  return { actions, wakeAtMs };
}

/** One set-desired action for each task that is not there yet. */
export const setDesired = (tasks: readonly Task[], desired: DesiredState): Action[] =>
  tasks.filter((task) => task.desired !== desired).map((task) => ({ type: 'set-desired', taskId: task.id, desired }));
