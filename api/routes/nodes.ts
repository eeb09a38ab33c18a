import { OrchError } from '../../model/errors.ts';
import { nodeName } from '../../model/node.ts';
import type { Node } from '../../model/node.ts';
import { dockerNode, readNodeSpec } from '../convert/node.ts';
import type { ControlPlane, Membership } from '../control-plane.ts';
import { passes, passesLabels } from '../query.ts';
import type { Filters } from '../query.ts';
import { requireControl } from '../require-control.ts';
import { param } from '../route.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';

export const nodeRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/nodes', answer: listNodes },
  { method: 'GET', path: '/nodes/{id}', answer: inspectNode },
  {
    method: 'DELETE', path: '/nodes/{id}',
    async answer({ membership }, call) {
      const control = requireControl(membership);
      await control.removeNode(control.node(param(call, 'id')).id, { force: call.query.flag('force') });
    },
  },
  {
    method: 'POST', path: '/nodes/{id}/update',
    async answer({ membership }, call) {
      const control = requireControl(membership);
      const node = control.node(param(call, 'id'));
      const version = call.query.version();
      await control.updateNode(node.id, version, readNodeSpec(await call.body()));
    },
  },
];

async function listNodes({ membership }: ApiContext, call: Call): Promise<unknown> {
  const control = requireControl(membership);
  const filters = call.query.filters(['id', 'label', 'membership', 'name', 'node.label', 'role']);
  return control.nodes().filter((node) => isListed(node, filters)).map((node) => dockerNode(node, control.cluster(), control.managerStatus(node.id)));
}

async function inspectNode({ membership }: ApiContext, call: Call): Promise<unknown> {
  const control = requireControl(membership);
  const node = findNode(control, membership, param(call, 'id'));
  return dockerNode(node, control.cluster(), control.managerStatus(node.id));
}

/** By id, id prefix, name or hostname; `self` is this node. Throws ORCH_NOT_FOUND. */
export const findNode = (control: ControlPlane, membership: Membership, reference: string): Node =>
  control.node(reference === 'self' ? membership.state().nodeId : reference);

/** Every node of orch has been accepted: the join token does that. */
const isListed = (node: Node, filters: Filters): boolean =>
  passes(filters, 'id', (prefix) => node.id.startsWith(prefix)) && passes(filters, 'name', (prefix) => nodeName(node).startsWith(prefix))
  && passes(filters, 'role', (role) => node.role === role) && passes(filters, 'membership', isAccepted)
  && passesLabels(filters, 'node.label', node.spec.labels) && passesLabels(filters, 'label', node.description?.engineLabels ?? {});

function isAccepted(membership: string): boolean {
  if (membership === 'accepted' || membership === 'pending') return membership === 'accepted';
  throw new OrchError('ORCH_INVALID', `The filter membership must be accepted or pending, not "${membership}"`);
}
