import { ReconcileLoop } from '../base/reconcile-loop.ts';
import { defaultClusterSpec } from '../model/cluster.ts';
import { parseIpv4Cidr } from '../model/ip.ts';
import type { NodeId, TaskId } from '../model/meta.ts';
import type { Node } from '../model/node.ts';
import { isWanted, type Task } from '../model/task.ts';
import { commitAsLeader, COMMIT_BATCH, reportFailure, type LoopContext } from './loop-context.ts';
import { theCluster } from './orchestrator/read-service.ts';

export type SubnetAction =
  | { readonly type: 'give'; readonly nodeId: NodeId; readonly bridgeSubnet: string }
  | { readonly type: 'refuse'; readonly nodeId: NodeId; readonly problem: string };

/** Bridges get a /24: room for 253 tasks on a node. */
const SUBNET_PREFIX = 24;

/** Pure: gives every node without a bridge subnet the lowest free one of `pool`, and says so on the node when there is none. A subnet is free again when its node is removed. */
export function planSubnets(pool: string, nodes: readonly Node[]): SubnetAction[] {
  const waiting = nodes.filter((node) => node.bridgeSubnet === undefined).toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  const taken = new Set(nodes.map((node) => node.bridgeSubnet));
  const free = subnetsOf(pool).filter((subnet) => !taken.has(subnet));
  const problem = `the pool ${pool} has no free subnet for the bridge of this node; remove nodes that are gone, or set a larger pool`;
  return waiting.flatMap((node, index): SubnetAction[] => {
    const bridgeSubnet = free[index];
    if (bridgeSubnet !== undefined) return [{ type: 'give', nodeId: node.id, bridgeSubnet }];
    return node.bridgeProblem === problem ? [] : [{ type: 'refuse', nodeId: node.id, problem }];
  });
}

/** All bridge subnets of a pool in order; the pool itself when it is smaller than one, none when it is no network. */
export function subnetsOf(pool: string): string[] {
  const parsed = parseIpv4Cidr(pool);
  if (!parsed) return [];
  const prefix = Math.max(SUBNET_PREFIX, parsed.prefix);
  const first = parsed.address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return Array.from({ length: 2 ** (prefix - parsed.prefix) }, (_, index) => `${formatIpv4(first + index * 2 ** (32 - prefix))}/${prefix}`);
}

const formatIpv4 = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** Gives nodes their subnets and lets new tasks go on to the scheduler. */
export function startAllocator(context: LoopContext, scope: AsyncDisposableStack): void {
  const { store, clock } = context;
  const newTasks = new Set<TaskId>();
  const loop: ReconcileLoop = scope.use(new ReconcileLoop({
    clock, onError: reportFailure(context, 'allocator'),
    reconcile: async (key) => {
      const more = key === 'nodes' ? await allocateSubnets(context) : await allocateTasks(context, newTasks);
      if (more) loop.enqueue(key);
    },
  }));
  const take = (task: Task): void => {
    if (!isWaiting(task)) return;
    newTasks.add(task.id);
    loop.enqueue('tasks');
  };
  scope.use(store.subscribe(({ changes }) => {
    for (const change of changes) {
      if (change.kind === 'task' && change.after) take(change.after);
      if (change.kind === 'cluster' || (change.kind === 'node' && !(change.before && change.after))) loop.enqueue('nodes');
    }
  }));
  store.view((view) => { for (const task of view.task.list()) take(task); });
  loop.enqueue('nodes');
}

const isWaiting = (task: Task): boolean => task.status.state === 'new' && isWanted(task.desired);

/** True when there was more to do than fits one commit. */
async function allocateSubnets(context: LoopContext): Promise<boolean> {
  const { store } = context;
  const needed = store.view((view) => [...view.node.list()].some((node) => node.bridgeSubnet === undefined));
  if (!needed) return false;
  return commitAsLeader(context, (tx) => {
    const pool = (theCluster(tx)?.spec ?? defaultClusterSpec).bridgePool;
    const actions = planSubnets(pool, [...tx.node.list()]);
    for (const action of actions.slice(0, COMMIT_BATCH)) {
      const node = tx.node.get(action.nodeId);
      if (!node) continue;
      const { bridgeProblem: _, ...rest } = node;
      tx.node.update(action.type === 'give' ? { ...rest, bridgeSubnet: action.bridgeSubnet } : { ...rest, bridgeProblem: action.problem });
    }
    return actions.length > COMMIT_BATCH;
  });
}

/** Addresses and virtual IPs of networks belong here; a bridge gives its addresses on the node, so tasks have nothing to wait for. */
async function allocateTasks(context: LoopContext, newTasks: Set<TaskId>): Promise<boolean> {
  const batch = [...newTasks.values().take(COMMIT_BATCH)];
  await commitAsLeader(context, (tx) => {
    const atMs = context.clock.now();
    for (const id of batch) {
      const task = tx.task.get(id);
      if (task && isWaiting(task)) tx.task.update({ ...task, status: { state: 'pending', atMs, message: 'waiting for a node' } });
    }
  });
  for (const id of batch) newTasks.delete(id);
  return newTasks.size > 0;
}
