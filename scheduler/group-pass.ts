import type { Branch, CandidateIndex, Cursor } from './candidate-index.ts';
import { MinHeap } from './min-heap.ts';
import type { NodeEntry, NodeTable } from './node-table.ts';
import { occupancyCause, resourceCause } from './refusal.ts';
import type { Requirements } from './requirements.ts';

/** Makes one task of the service outweigh any number of tasks of others (fewer than 2^26), and avoidance any number of either; sums stay exact. */
const SERVICE_TASK_WEIGHT = 2 ** 26;
const AVOID_WEIGHT = 2 ** 52;

export type GroupPassOptions = {
  readonly table: NodeTable;
  /** Caught up with the table. */
  readonly index: CandidateIndex;
  readonly requirements: Requirements;
  /** Tasks of the service by slot; whoever takes a node counts its task here. */
  readonly serviceCounts: ReadonlyMap<number, number>;
  /** Slots of nodes to use last. */
  readonly avoid: ReadonlySet<number>;
};

/** A leaf of the spread tree during a pass: nodes that the service does not use yet, in the index's order, and those it does. */
type LeafPass = { readonly unused: Cursor; readonly used: MinHeap<NodeEntry> };

/**
 * One decision over all tasks of a group: gives, one after the other, the node that is best for the next task.
 * Branches with fewest tasks of the service come first, level by level; within a branch, nodes that are not to be avoided, then with fewest tasks of the service, then with fewest tasks.
 */
export class GroupPass {
  readonly #options: GroupPassOptions;
  /** By the number of the branch. */
  readonly #leaves: (LeafPass | undefined)[] = [];
  readonly #children = new Map<Branch, MinHeap<Branch>>();
  readonly #branchCounts: Int32Array;

  constructor(options: GroupPassOptions) {
    this.#options = options;
    const { index, serviceCounts, avoid } = options;
    this.#branchCounts = new Int32Array(index.branchCount);
    for (const [slot, count] of serviceCounts) {
      for (let branch = index.branchOf(slot); branch; branch = branch.parent) this.#branchCounts[branch.number] = (this.#branchCounts[branch.number] ?? 0) + count;
      this.#offerUsed(slot);
    }
    for (const slot of avoid) if (!serviceCounts.has(slot)) this.#offerUsed(slot);
  }

  /** The node for the next task; undefined when no node can take one. The caller places the task there, then calls `took`. */
  next(): NodeEntry | undefined {
    return this.#pick(this.#options.index.root);
  }

  /** Lets the node be chosen again after it was given a task. */
  took(entry: NodeEntry): void {
    this.#offerUsed(entry.slot);
  }

  #pick(branch: Branch): NodeEntry | undefined {
    if (branch.children.size === 0) return this.#pickFromLeaf(branch);
    const children = this.#children.getOrInsertComputed(branch, () => this.#childrenByTasks(branch));
    for (let child = children.peek(); child; child = children.peek()) {
      const entry = this.#pick(child);
      if (entry) {
        children.rekeyTop(children.peekKey() + SERVICE_TASK_WEIGHT);
        return entry;
      }
      children.pop();
    }
    return undefined;
  }

  /** Of branches with as many tasks of the service, the one with the least loaded node comes first. */
  #childrenByTasks(branch: Branch): MinHeap<Branch> {
    const children = new MinHeap<Branch>();
    for (const child of branch.children.values()) {
      const fewest = this.#options.index.fewestTasks(child);
      if (fewest !== Number.POSITIVE_INFINITY) children.push((this.#branchCounts[child.number] ?? 0) * SERVICE_TASK_WEIGHT + fewest, child);
    }
    return children;
  }

  #pickFromLeaf(branch: Branch): NodeEntry | undefined {
    const { unused, used } = this.#leafPass(branch);
    const { index, table, avoid, serviceCounts } = this.#options;
    while (unused.slot >= 0) {
      const { slot } = unused;
      index.nextCandidate(branch, unused);
      const entry = serviceCounts.has(slot) || avoid.has(slot) ? undefined : table.at(slot);
      if (entry && this.#hasRoom(entry)) return entry;
    }
    for (let entry = used.pop(); entry; entry = used.pop()) if (this.#hasRoom(entry)) return entry;
    return undefined;
  }

  #leafPass(branch: Branch): LeafPass {
    return this.#leaves[branch.number] ??= { unused: this.#options.index.firstCandidate(branch), used: new MinHeap() };
  }

  #offerUsed(slot: number): void {
    const { index, table, serviceCounts, avoid } = this.#options;
    const branch = index.branchOf(slot);
    const entry = table.at(slot);
    if (!branch || !entry || !index.isCandidate(slot)) return;
    const key = (avoid.has(slot) ? AVOID_WEIGHT : 0) + (serviceCounts.get(slot) ?? 0) * SERVICE_TASK_WEIGHT + entry.total;
    this.#leafPass(branch).used.push(key, entry);
  }

  #hasRoom(entry: NodeEntry): boolean {
    const { requirements, serviceCounts } = this.#options;
    return resourceCause(entry, requirements) === undefined && occupancyCause(entry, requirements, serviceCounts.get(entry.slot) ?? 0) === undefined;
  }
}
