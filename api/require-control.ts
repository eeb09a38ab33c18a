import { OrchError } from '../model/errors.ts';
import type { ControlPlane, Membership } from './control-plane.ts';

/** The control plane of a manager. Throws ORCH_NOT_MANAGER with Docker's sentences on any other node. */
export function requireControl(membership: Membership): ControlPlane {
  const control = membership.control();
  if (control) return control;
  const { localState, role } = membership.state();
  if (localState === 'active' && role === 'worker') {
    throw new OrchError('ORCH_NOT_MANAGER', 'This node is not a swarm manager. Worker nodes can\'t be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.');
  }
  if (localState === 'active') throw new OrchError('ORCH_NOT_MANAGER', 'This node is a swarm manager, but its manager is not ready yet', { hint: 'Try again in a few seconds' });
  throw new OrchError('ORCH_NOT_MANAGER', 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    { hint: 'Use `orch init` or `orch join`' });
}
