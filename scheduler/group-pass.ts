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

/** A leaf of the spread tree during a pass: nodes that the service does not use yet, in the index's order; those it does; and those used since they were last asked for. */
type LeafPass = { readonly unused: Cursor; readonly used: MinHeap<NodeEntry>; taken: NodeEntry[] };

/**
 * One decision over all tasks of a group: gives, one after the other, the node that is best for the next task.
 * Branches with fewest tasks of the service come first, level by level; within a branch, nodes that are not to be avoided, then with fewest tasks of the service, then with fewest tasks.
 */
export class GroupPass {
  readonly #options: GroupPassOptions;
  // By the number of the branch.
  readonly #leaves: (LeafPass | undefined)[] = [];
  readonly #children: (MinHeap<Branch> | undefined)[] = [];
  readonly #branchCounts: Int32Array;
  /** Slots that are not simply next in the index's order: of nodes used before this pass, and of nodes to avoid. */
  readonly #special: ReadonlySet<number>;

  constructor(options: GroupPassOptions) {
    this.#options = options;
    const { table, index, serviceCounts, avoid } = options;
    this.#branchCounts = new Int32Array(index.branchCount);
    this.#special = new Set([...serviceCounts.keys(), ...avoid]);
    for (const [slot, count] of serviceCounts) {
      for (let branch = index.branchOf(slot); branch; branch = branch.parent) this.#branchCounts[branch.number] = (this.#branchCounts[branch.number] ?? 0) + count;
    }
    for (const slot of this.#special) {
      const entry = index.isCandidate(slot) ? table.at(slot) : undefined;
      if (entry) this.took(entry);
    }
  }

  /** The node for the next task; undefined when no node can take one. The caller places the task there, then calls `took`. */
  next(): NodeEntry | undefined {
    return this.#pick(this.#options.index.root);
  }

  /** Lets the node be chosen again after it was given a task. */
  took(entry: NodeEntry): void {
    this.#leafOf(entry.slot)?.taken.push(entry);
  }

  #pick(branch: Branch): NodeEntry | undefined {
    if (branch.children.size === 0) return this.#pickFromLeaf(branch);
    const children = this.#children[branch.number] ??= this.#childrenByTasks(branch);
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
    const leaf = this.#leafPass(branch);
    const { unused, used } = leaf;
    const { index, table } = this.#options;
    while (unused.slot >= 0) {
      const { slot } = unused;
      index.nextCandidate(branch, unused);
      const entry = this.#special.has(slot) ? undefined : table.at(slot);
      if (entry && this.#hasRoom(entry, 0)) return entry;
    }
    for (const entry of leaf.taken) used.push(this.#rankOf(entry), entry);
    leaf.taken = [];
    for (let entry = used.pop(); entry; entry = used.pop()) if (this.#hasRoom(entry, this.#countOf(entry))) return entry;
    return undefined;
  }

  #leafOf(slot: number): LeafPass | undefined {
    const branch = this.#options.index.branchOf(slot);
    return branch && this.#leafPass(branch);
  }

  #leafPass(branch: Branch): LeafPass {
    return this.#leaves[branch.number] ??= { unused: this.#options.index.firstCandidate(branch), used: new MinHeap(), taken: [] };
  }

  #countOf(entry: NodeEntry): number {
    return this.#options.serviceCounts.get(entry.slot) ?? 0;
  }

  #rankOf(entry: NodeEntry): number {
    return (this.#options.avoid.has(entry.slot) ? AVOID_WEIGHT : 0) + this.#countOf(entry) * SERVICE_TASK_WEIGHT + entry.total;
  }

  #hasRoom(entry: NodeEntry, serviceCount: number): boolean {
    const { requirements } = this.#options;
    return resourceCause(entry, requirements) === undefined && occupancyCause(entry, requirements, serviceCount) === undefined;
  }
}
