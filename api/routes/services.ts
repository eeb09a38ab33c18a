import { OrchError } from '../../model/errors.ts';
import { randomName } from '../../model/names.ts';
import type { Service, ServiceSpec } from '../../model/service.ts';
import { dockerService } from '../convert/service.ts';
import { readServiceSpec } from '../convert/service-spec.ts';
import type { ControlPlane } from '../control-plane.ts';
import { passes, passesLabels } from '../query.ts';
import type { Filters } from '../query.ts';
import { readRegistryAuth } from '../registry-auth.ts';
import { requireControl } from '../require-control.ts';
import { param } from '../route.ts';
import type { ApiContext, ApiRoute, Call } from '../route.ts';

export const serviceRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/services', answer: listServices },
  { method: 'POST', path: '/services/create', answer: createService },
  { method: 'GET', path: '/services/{id}', answer: async ({ membership }, call) => dockerService(requireControl(membership).service(param(call, 'id'))) },
  {
    method: 'DELETE', path: '/services/{id}',
    async answer({ membership }, call) {
      const control = requireControl(membership);
      await control.removeService(control.service(param(call, 'id')).id);
    },
  },
  { method: 'POST', path: '/services/{id}/update', answer: updateService },
];

async function listServices({ membership }: ApiContext, call: Call): Promise<unknown> {
  const control = requireControl(membership);
  const filters = call.query.filters(['id', 'label', 'mode', 'name'], ['runtime']);
  const withStatus = call.query.flag('status');
  return control.services().filter((service) => isListed(service, filters))
    .map((service) => dockerService(service, withStatus ? control.serviceCounts(service.id) : undefined));
}

const isListed = ({ id, spec }: Service, filters: Filters): boolean =>
  passes(filters, 'id', (prefix) => id.startsWith(prefix)) && passes(filters, 'name', (prefix) => spec.name.startsWith(prefix))
  && passes(filters, 'mode', (mode) => spec.mode.type === mode) && passesLabels(filters, 'label', spec.labels);

async function createService(context: ApiContext, call: Call): Promise<unknown> {
  const control = requireControl(context.membership);
  const spec = readServiceSpec(await call.body());
  refuseRegistryAuth(call);
  const { id, warnings } = await control.createService(spec.name === '' ? { ...spec, name: freeName(context, control) } : spec);
  call.reply.code(201);
  return { ID: id, Warnings: warnings };
}

/** A name for a service that was given none, as Docker does. */
function freeName({ random }: ApiContext, control: ControlPlane): string {
  const taken = new Set(control.services().map(({ spec }) => spec.name));
  const pick = (): string => randomName((count) => Math.floor(random.next() * count));
  let name = pick();
  for (let suffix = 2; taken.has(name); suffix += 1) name = `${pick()}${suffix}`;
  return name;
}

async function updateService(context: ApiContext, call: Call): Promise<unknown> {
  const control = requireControl(context.membership);
  const service = control.service(param(call, 'id'));
  const version = call.query.version();
  const rollback = isRollback(call);
  const spec = rollback ? service.spec : withNameOf(service, readServiceSpec(await call.body()));
  refuseRegistryAuth(call);
  const { warnings } = await control.updateService(service.id, version, spec, { rollback });
  return { Warnings: warnings };
}

const withNameOf = (service: Service, spec: ServiceSpec): ServiceSpec => spec.name === '' ? { ...spec, name: service.spec.name } : spec;

function isRollback(call: Call): boolean {
  const rollback = call.query.text('rollback');
  if (rollback === undefined || rollback === 'none') return false;
  if (rollback === 'previous') return true;
  throw new OrchError('ORCH_INVALID', `The query parameter rollback must be previous or none, not "${rollback}"`);
}

/** The spec has no place for credentials, so none may be given that the nodes would not get. */
function refuseRegistryAuth(call: Call): void {
  if (!readRegistryAuth(call.request.headers['x-registry-auth'])) return;
  throw new OrchError('ORCH_UNSUPPORTED', 'orch does not pass registry credentials of a service to its nodes', { hint: 'Pull or load the image on the nodes first, or use a registry that needs no credentials' });
}
