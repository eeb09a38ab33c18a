import { formatPlacementKey, placementValue } from '../model/placement.ts';
import type { NodeColumn } from './node-column.ts';
import type { NodeEntry, NodeTable } from './node-table.ts';
import type { Requirements, Rule } from './requirements.ts';

/** Stands for no slot, no bucket, no leaf and no rule. */
const NONE = -1;

/** One value of a spread label, below the values of the labels before it. The root is there without any. */
export type Branch = {
  /** Index among the branches of one CandidateIndex. */
  readonly number: number;
  readonly parent: Branch | undefined;
  /** By the number of the label's value. */
  readonly children: Map<number, Branch>;
  /** Nodes of a branch of the last level, in buckets by their number of tasks: the first slot of each bucket. */
  readonly heads: number[];
  /** No bucket below this one has a node. */
  lowest: number;
};

/**
 * The nodes that may take tasks of all revisions with the same rules and spread, in order of their number of tasks.
 * Room on the node is not looked at. Brings itself up to date from the table's journal, so a decision costs what changed since the last one, not all nodes.
 */
export class CandidateIndex {
  readonly #table: NodeTable;
  #rules: readonly CheckedRule[] = [];
  /** The labels to spread over. */
  #spread: readonly NodeColumn[] = [];
  #branches: Branch[] = [];
  #journalPosition = NONE;
  // By slot: neighbours in the bucket, the bucket, the branch, the first rule that fails, and the version of the node that this was read from.
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #bucket = new Int32Array(0);
  #branch = new Int32Array(0);
  #failedRule = new Int32Array(0);
  #version = new Int32Array(0);

  constructor(table: NodeTable) {
    this.#table = table;
  }

  /** Makes this the index for `requirements`, whatever it was for. Taking an old one over spares the collector large arrays. */
  reassign({ rules, spread }: Requirements): void {
    this.#rules = rules.map((rule) => ({ rule, column: this.#table.column(rule.column, (node) => rule.read(node)), verdicts: [] }));
    this.#spread = spread.map((key) => this.#table.column(formatPlacementKey(key), (node) => placementValue(key, node)));
    this.#forget();
  }

  /** Must be called before anything else after the table changed. */
  catchUp(): void {
    const table = this.#table;
    if (this.#branches.length > 64 + 2 * table.capacity * Math.max(1, this.#spread.length)) this.#forget();
    const changes = table.changesSince(this.#journalPosition);
    if (table.capacity > this.#next.length) this.#grow(table.capacity);
    if (changes) for (const slot of changes) this.#refresh(slot, table.at(slot));
    // From the end, so that each bucket begins with its lowest slot.
    else for (let slot = table.capacity - 1; slot >= 0; slot -= 1) this.#refresh(slot, table.at(slot));
    this.#journalPosition = table.journalEnd;
  }

  get root(): Branch {
    return this.#branches[0] ?? this.#addBranch(undefined);
  }

  get branchCount(): number {
    return this.#branches.length;
  }

  /** The first rule that the node in the slot fails. */
  failedRule(slot: number): Rule | undefined {
    return this.#rules[this.#failedRule[slot] ?? NONE]?.rule;
  }

  /** True when the node is ready and meets every rule. */
  isCandidate(slot: number): boolean {
    return (this.#bucket[slot] ?? NONE) !== NONE;
  }

  /** The branch of the last level that the node is in, whether a candidate or not. */
  branchOf(slot: number): Branch | undefined {
    return this.#branches[this.#branch[slot] ?? NONE];
  }

  /** The node of the branch with fewest tasks, as a cursor for `nextCandidate`. Cursors end with the next `catchUp`. */
  firstCandidate(branch: Branch): Cursor {
    const bucket = this.#lowestBucket(branch);
    return { bucket, slot: branch.heads[bucket] ?? NONE };
  }

  /** Moves the cursor to the next node with as many or more tasks. */
  nextCandidate(branch: Branch, cursor: Cursor): void {
    cursor.slot = this.#next[cursor.slot] ?? NONE;
    while (cursor.slot === NONE && cursor.bucket < branch.heads.length) {
      cursor.bucket += 1;
      cursor.slot = branch.heads[cursor.bucket] ?? NONE;
    }
  }

  /** Number of tasks of the candidate below `branch` that has fewest; Infinity when there is no candidate. */
  fewestTasks(branch: Branch): number {
    if (branch.children.size === 0) {
      const bucket = this.#lowestBucket(branch);
      return bucket < branch.heads.length ? bucket : Number.POSITIVE_INFINITY;
    }
    let fewest = Number.POSITIVE_INFINITY;
    for (const child of branch.children.values()) fewest = Math.min(fewest, this.fewestTasks(child));
    return fewest;
  }

  #lowestBucket(branch: Branch): number {
    while (branch.lowest < branch.heads.length && (branch.heads[branch.lowest] ?? NONE) === NONE) branch.lowest += 1;
    return branch.lowest;
  }

  /** Drops all branches, among them those of labels that no node has any more. */
  #forget(): void {
    this.#branches = [];
    this.#journalPosition = NONE;
    this.#bucket.fill(NONE);
    this.#version.fill(NONE);
  }

  #grow(capacity: number): void {
    const length = Math.max(capacity, 2 * this.#next.length);
    this.#next = grown(this.#next, length);
    this.#previous = grown(this.#previous, length);
    this.#bucket = grown(this.#bucket, length);
    this.#branch = grown(this.#branch, length);
    this.#failedRule = grown(this.#failedRule, length);
    this.#version = grown(this.#version, length);
  }

  #refresh(slot: number, entry: NodeEntry | undefined): void {
    const isNew = entry !== undefined && this.#version[slot] !== entry.staticVersion;
    const bucket = entry && !isNew ? this.#bucketFor(slot, entry) : NONE;
    if (this.#bucket[slot] !== bucket) {
      this.#unlink(slot);
      this.#link(slot, bucket);
    }
    if (!isNew) return;
    this.#read(slot, entry);
    this.#link(slot, this.#bucketFor(slot, entry));
  }

  #bucketFor(slot: number, entry: NodeEntry): number {
    return entry.node === undefined || entry.stateCause !== undefined || this.#failedRule[slot] !== NONE ? NONE : entry.total;
  }

  /** Reads what depends on the node itself. The slot must not be in a bucket. */
  #read(slot: number, entry: NodeEntry): void {
    this.#version[slot] = entry.staticVersion;
    this.#failedRule[slot] = this.#rules.findIndex((checked) => !this.#isMet(checked, entry));
    let branch = this.root;
    for (const column of this.#spread) {
      const parent = branch;
      branch = parent.children.getOrInsertComputed((entry.node ? column.numberOf(slot, entry.node) : NONE), () => this.#addBranch(parent));
    }
    this.#branch[slot] = branch.number;
  }

  /** Asks the rule once for every value that nodes have. */
  #isMet({ rule, column, verdicts }: CheckedRule, entry: NodeEntry): boolean {
    if (!entry.node) return false;
    const number = column.numberOf(entry.slot, entry.node);
    return verdicts[number] ??= rule.accepts(column.value(number));
  }

  #addBranch(parent: Branch | undefined): Branch {
    const branch: Branch = { number: this.#branches.length, parent, children: new Map(), heads: [], lowest: 0 };
    this.#branches.push(branch);
    return branch;
  }

  #link(slot: number, bucket: number): void {
    const branch = this.branchOf(slot);
    this.#bucket[slot] = bucket;
    if (bucket === NONE || !branch) return;
    while (branch.heads.length <= bucket) branch.heads.push(NONE);
    const head = branch.heads[bucket] ?? NONE;
    this.#next[slot] = head;
    this.#previous[slot] = NONE;
    if (head !== NONE) this.#previous[head] = slot;
    branch.heads[bucket] = slot;
    branch.lowest = Math.min(branch.lowest, bucket);
  }

  #unlink(slot: number): void {
    const bucket = this.#bucket[slot] ?? NONE;
    const branch = this.branchOf(slot);
    if (bucket === NONE || !branch) return;
    const next = this.#next[slot] ?? NONE;
    const previous = this.#previous[slot] ?? NONE;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous === NONE) branch.heads[bucket] = next;
    else this.#next[previous] = next;
    this.#bucket[slot] = NONE;
  }
}

/** A rule, and what it says of each value of its column that was asked about. */
type CheckedRule = { readonly rule: Rule; readonly column: NodeColumn; readonly verdicts: boolean[] };

/** A place in the order of candidates; its slot is negative at the end. */
export type Cursor = { bucket: number; slot: number };

function grown(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length).fill(NONE, array.length);
  larger.set(array);
  return larger;
}
