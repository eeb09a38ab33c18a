/** The filter that a node failed. */
export type CauseKind =
  | 'down' | 'unknown' | 'disconnected' | 'drained' | 'paused'
  | 'cpu' | 'memory' | 'platform' | 'constraint' | 'preference' | 'host-port' | 'max-replicas';

/** Why nodes were refused: `constraint node.labels.disk == ssd not met`. Every node counts for the first filter it fails. */
export type Cause = { readonly kind: CauseKind; readonly text: string; readonly nodes: number };

/** Why tasks have no node, as one sentence for the task's status and as data. Causes are ordered by the number of nodes, most first. */
export type Explanation = { readonly message: string; readonly causes: readonly Cause[] };

/** `no suitable node (insufficient memory on 2 nodes; constraint node.labels.disk == ssd not met on 1)`. Causes of no node are left out; ties keep their order. */
export function explain(causes: readonly Cause[]): Explanation {
  const met = causes.filter((cause) => cause.nodes > 0).toSorted((a, b) => b.nodes - a.nodes);
  if (met.length === 0) return { message: 'no suitable node (no nodes in the cluster)', causes: [] };
  const parts = met.map(({ text, nodes }, index) => `${text} on ${nodes}${index > 0 ? '' : nodes === 1 ? ' node' : ' nodes'}`);
  return { message: `no suitable node (${parts.join('; ')})`, causes: met };
}
