import type { AssignedTask, Assignments } from '../../model/assignment.ts';
import type { NodeId, RevisionId, TaskId } from '../../model/meta.ts';
import type { Revision } from '../../model/service.ts';
import { taskStateRank, type Task } from '../../model/task.ts';
import type { View } from '../../store/store.ts';

/** Tasks in one diff at most. */
const MAX_CHANGES = 100;

/** What one session's agent has been told; makes the messages that bring it up to date. Revisions are sent once and withdrawn with their last task. */
export class AssignmentSet {
  readonly #nodeId: NodeId;
  readonly #epoch: string;
  readonly #tasks = new Map<TaskId, RevisionId>();
  readonly #revisions = new Map<RevisionId, number>();
  #bridgeSubnet: string | undefined;
  #sequence = 0;

  constructor(nodeId: NodeId, epoch: string) {
    this.#nodeId = nodeId;
    this.#epoch = epoch;
  }

  /** Everything of the node; the first message of a session. */
  snapshot(view: View): Assignments {
    return this.#advance(view, view.task.by('node', this.#nodeId).filter(isAssigned).map((task) => task.id), { snapshot: true });
  }

  /** Brings the agent up to date with these tasks; none when it is. */
  *diffs(view: View, taskIds: readonly TaskId[]): Iterable<Assignments> {
    const relevant = taskIds.filter((id) => this.#tasks.has(id) || this.#isOurs(view.task.get(id)));
    const subnetChanged = view.node.get(this.#nodeId)?.bridgeSubnet !== this.#bridgeSubnet;
    for (let start = 0; start < relevant.length || (start === 0 && subnetChanged); start += MAX_CHANGES) {
      yield this.#advance(view, relevant.slice(start, start + MAX_CHANGES), { snapshot: false });
    }
  }

  #isOurs(task: Task | undefined): task is Task { return task !== undefined && task.nodeId === this.#nodeId && isAssigned(task); }

  #advance(view: View, taskIds: readonly TaskId[], { snapshot }: { readonly snapshot: boolean }): Assignments {
    const tasks: AssignedTask[] = [];
    const removedTaskIds: TaskId[] = [];
    const touched = new Set<RevisionId>();
    const before = new Set(this.#revisions.keys());
    for (const id of taskIds) {
      const task = view.task.get(id);
      if (this.#isOurs(task)) {
        tasks.push(toAssigned(view, task));
        touched.add(this.#add(task));
        continue;
      }
      const revisionId = this.#remove(id);
      if (revisionId === undefined) continue;
      removedTaskIds.push(id);
      touched.add(revisionId);
    }
    const baseSequence = this.#sequence;
    this.#sequence += 1;
    return {
      snapshot, epoch: this.#epoch, baseSequence, sequence: this.#sequence, tasks, removedTaskIds,
      revisions: [...touched].filter((id) => this.#revisions.has(id) && !before.has(id)).map((id) => readRevision(view, id)),
      removedRevisionIds: [...touched].filter((id) => before.has(id) && !this.#revisions.has(id)),
      ...this.#subnet(view),
    };
  }

  #add(task: Task): RevisionId {
    if (!this.#tasks.has(task.id)) {
      this.#tasks.set(task.id, task.revisionId);
      this.#revisions.set(task.revisionId, (this.#revisions.get(task.revisionId) ?? 0) + 1);
    }
    return task.revisionId;
  }

  #remove(taskId: TaskId): RevisionId | undefined {
    const revisionId = this.#tasks.get(taskId);
    if (revisionId === undefined) return undefined;
    this.#tasks.delete(taskId);
    const users = (this.#revisions.get(revisionId) ?? 0) - 1;
    if (users > 0) this.#revisions.set(revisionId, users);
    else this.#revisions.delete(revisionId);
    return revisionId;
  }

  #subnet(view: View): Pick<Assignments, 'bridgeSubnet'> {
    const bridgeSubnet = view.node.get(this.#nodeId)?.bridgeSubnet;
    if (bridgeSubnet === this.#bridgeSubnet || bridgeSubnet === undefined) return {};
    this.#bridgeSubnet = bridgeSubnet;
    return { bridgeSubnet };
  }
}

/** True for tasks that an agent hears of: from their assignment until they are deleted; an orphaned one is given up. */
export const isAssigned = (task: Task): boolean => taskStateRank(task.status.state) >= taskStateRank('assigned') && task.status.state !== 'orphaned';

function toAssigned(view: View, task: Task): AssignedTask {
  const spec = view.service.get(task.serviceId)?.spec;
  return {
    id: task.id, serviceId: task.serviceId, serviceName: spec?.name ?? '', serviceLabels: spec?.labels ?? {},
    revisionId: task.revisionId, slot: task.slot, desired: task.desired, status: task.status,
  };
}

function readRevision(view: View, id: RevisionId): Revision {
  const revision = view.revision.get(id);
  if (!revision) throw new Error(`revision ${id} is gone although a task names it`);
  return revision;
}
