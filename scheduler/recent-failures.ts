import type { NodeId, RevisionId, TaskId } from '../model/meta.ts';

/** A node with this many failures of a revision within the window is used for it only when there is no other. */
export const FAILURES_TO_AVOID = 5;
export const FAILURE_WINDOW_MS = 5 * 60_000;

type Failure = { readonly taskId: TaskId; readonly atMs: number };

/** The newest failures of each revision on each node; as many as decide whether the node is to be avoided. */
export class RecentFailures {
  readonly #byRevision = new Map<RevisionId, Map<NodeId, Failure[]>>();

  /** Counts a failed task once, however often and in whatever order failures are told. */
  add(failed: Failure & { readonly revisionId: RevisionId; readonly nodeId: NodeId }): void {
    const byNode = this.#byRevision.getOrInsertComputed(failed.revisionId, () => new Map<NodeId, Failure[]>());
    const failures = byNode.get(failed.nodeId) ?? [];
    if (failures.some((failure) => failure.taskId === failed.taskId)) return;
    const newest = [...failures, { taskId: failed.taskId, atMs: failed.atMs }].toSorted((a, b) => b.atMs - a.atMs);
    byNode.set(failed.nodeId, newest.slice(0, FAILURES_TO_AVOID));
  }

  /** Nodes to avoid for the revision at `nowMs`. */
  nodesToAvoid(revisionId: RevisionId, nowMs: number): NodeId[] {
    const nodes: NodeId[] = [];
    for (const [nodeId, failures] of this.#byRevision.get(revisionId) ?? []) {
      const decisive = failures[FAILURES_TO_AVOID - 1];
      if (decisive && decisive.atMs > nowMs - FAILURE_WINDOW_MS) nodes.push(nodeId);
    }
    return nodes;
  }

  removeRevision(revisionId: RevisionId): void {
    this.#byRevision.delete(revisionId);
  }

  removeNode(nodeId: NodeId): void {
    for (const byNode of this.#byRevision.values()) byNode.delete(nodeId);
  }
}
