import type { NodeId } from '../model/meta.ts';

/** The DNS name in every manager's certificate. Channels check it instead of the address they dial: addresses change, and Node refuses an IP as a TLS server name. */
export const managerServerName = 'manager.orch.internal';

/** The DNS name that only this node's certificate holds. */
export const nodeServerName = (nodeId: NodeId): string => `${nodeId}.node.orch.internal`;

/** The port that managers listen on for nodes. */
export const managerPort = 2377;
