import { ReconcileLoop } from '../../base/reconcile-loop.ts';
import type { NodeId } from '../../model/meta.ts';
import type { Node, NodeDescription, NodeRole, NodeState, NodeStatus } from '../../model/node.ts';
import { commitAsLeader, COMMIT_BATCH, reportFailure, type LoopContext } from '../loop-context.ts';

export type NodeNews = {
  readonly description?: NodeDescription;
  readonly role?: NodeRole;
  readonly state?: NodeState;
  /** Why, when the state is not `ready`. */
  readonly message?: string;
  readonly address?: string;
};

/** Writes what the dispatcher learns of nodes into their records; news of many nodes share a commit, and what is already there is not written again. */
export class NodeRecords implements AsyncDisposable {
  readonly #context: LoopContext;
  readonly #news = new Map<NodeId, NodeNews>();
  readonly #loop: ReconcileLoop;

  constructor(context: LoopContext) {
    this.#context = context;
    this.#loop = new ReconcileLoop({ clock: context.clock, onError: reportFailure(context, 'node records'), reconcile: () => this.#write() });
  }

  /** Records the news soon; later news of the same node add to it. */
  set(nodeId: NodeId, news: NodeNews): void {
    this.#news.set(nodeId, { ...this.#news.get(nodeId), ...news });
    this.#loop.enqueue('nodes');
  }

  [Symbol.asyncDispose](): Promise<void> { return this.#loop[Symbol.asyncDispose](); }

  async #write(): Promise<void> {
    while (this.#news.size > 0) {
      const batch = [...this.#news.entries().take(COMMIT_BATCH)];
      await commitAsLeader(this.#context, (tx) => {
        for (const [nodeId, news] of batch) {
          const node = tx.node.get(nodeId);
          const next = node && withNews(node, news, this.#context.clock.now());
          if (next && next !== node) tx.node.update(next);
        }
      });
      for (const [nodeId, news] of batch) if (this.#news.get(nodeId) === news) this.#news.delete(nodeId);
    }
  }
}

/** The node with the news; the same object when they are none. */
function withNews(node: Node, news: NodeNews, nowMs: number): Node {
  const status = statusAfter(node.status, news, nowMs);
  const description = news.description && !sameDescription(node.description, news.description) ? news.description : node.description;
  const role = news.role ?? node.role;
  if (status === node.status && description === node.description && role === node.role) return node;
  return { ...node, role, status, ...(description ? { description } : {}) };
}

function statusAfter(status: NodeStatus, news: NodeNews, nowMs: number): NodeStatus {
  const { state = status.state, message = status.message, address = status.address } = news;
  if (state === status.state && message === status.message && address === status.address) return status;
  return { state, message, address, atMs: state === status.state ? status.atMs : nowMs };
}

function sameDescription(a: NodeDescription | undefined, b: NodeDescription): boolean {
  return a !== undefined && a.hostname === b.hostname && a.engineVersion === b.engineVersion
    && a.platform.os === b.platform.os && a.platform.arch === b.platform.arch
    && a.resources.nanoCpus === b.resources.nanoCpus && a.resources.memoryBytes === b.resources.memoryBytes
    && sameLabels(a.engineLabels, b.engineLabels);
}

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value);
