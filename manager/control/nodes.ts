import { OrchError } from '../../model/errors.ts';
import type { NodeId } from '../../model/meta.ts';
import { nodeName, type Node, type NodeSpec } from '../../model/node.ts';
import { throwIfInvalid } from '../../model/problems.ts';
import { validateNodeSpec } from '../../model/validate-cluster.ts';
import type { Tx } from '../../store/store.ts';
import { requireVersion } from './require-version.ts';
import type { ControlContext } from './services.ts';

/** Where agents reach managers unless the address says otherwise. */
const NODE_PORT = 2377;

/** See ControlPlane.updateNode. Throws ORCH_IN_USE for demoting the last manager, ORCH_UNSUPPORTED for making a second one. */
export async function updateNode({ store }: ControlContext, id: NodeId, { version, spec }: { readonly version: number; readonly spec: NodeSpec }): Promise<void> {
  await store.update((tx) => {
    const node = requireNode(tx, id);
    const label = `Node "${nodeName(node)}"`;
    requireVersion(label, node, version);
    throwIfInvalid(label, validateNodeSpec(spec));
    if (node.spec.role === 'manager' && spec.role === 'worker' && managerCount(tx) === 1) {
      throw new OrchError('ORCH_IN_USE', `${label} is the last manager: without it there is no cluster`, { hint: 'Use `orch leave --force` on it to end the cluster' });
    }
    if (node.spec.role === 'worker' && spec.role === 'manager') {
      throw new OrchError('ORCH_UNSUPPORTED', `${label} can't become a manager: a cluster has one, and a second is not possible yet`);
    }
    tx.node.update({ ...node, spec });
  });
}

/** See ControlPlane.removeNode. Its tasks are given up by the dispatcher, which also ends its session. */
export async function removeNode({ store }: ControlContext, id: NodeId, { force }: { readonly force: boolean }): Promise<void> {
  await store.update((tx) => {
    const node = requireNode(tx, id);
    const label = `Node "${nodeName(node)}"`;
    if (node.spec.role === 'manager' || node.role === 'manager') {
      throw new OrchError('ORCH_IN_USE', `${label} is a manager and can't be removed`, { hint: 'Use `orch leave --force` on it to end the cluster' });
    }
    const gone = node.status.state === 'down' || node.status.state === 'disconnected';
    if (!gone && !force) {
      throw new OrchError('ORCH_IN_USE', `${label} is ${node.status.state}, not down, and can't be removed`, { hint: 'Let it leave the cluster first, or use --force' });
    }
    if (!tx.blockedNode.get(id)) tx.blockedNode.create({ id });
    tx.node.delete(id);
  });
}

const managerCount = (tx: Tx): number => [...tx.node.list()].filter((node) => node.spec.role === 'manager').length;

function requireNode(tx: Tx, id: NodeId): Node {
  const node = tx.node.get(id);
  if (!node) throw new OrchError('ORCH_NOT_FOUND', `Node ${id} does not exist`, { details: { id } });
  return node;
}

/** Where other nodes reach a manager, HOST:PORT. */
export function managerAddress(node: Node): string {
  const address = node.advertiseAddress ?? node.status.address;
  if (/^[^:]+:\d+$|\]:\d+$/.test(address)) return address;
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${NODE_PORT}` : `${address}:${NODE_PORT}`;
}
