import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { Random } from '../../base/random.ts';
import { OrchError } from '../../model/errors.ts';
import type { RevisionId, ServiceId } from '../../model/meta.ts';
import type { Service, ServiceSpec } from '../../model/service.ts';
import type { Store, Tx } from '../../store/store.ts';
import { canonicalJson } from './canonical-json.ts';
import { checkServiceChange, checkServiceSpec } from './check-service.ts';
import { requireVersion } from './require-version.ts';

export type ControlContext = { readonly store: Store; readonly clock: Clock; readonly random: Random };

/** See ControlPlane.createService: the service and its first revision, in one commit. */
export async function createService({ store, random }: ControlContext, spec: ServiceSpec): Promise<ServiceId> {
  checkServiceSpec(spec);
  const id = newId(random);
  const revisionId = newId(random);
  await store.update((tx) => {
    tx.revision.create({ id: revisionId, serviceId: id, template: spec.template, ports: spec.endpoint.ports });
    tx.service.create({ id, spec, revisionId });
  });
  return id;
}

/** See ControlPlane.updateService. A spec that runs the same containers keeps the revision, so that nothing restarts. */
export async function updateService({ store, random }: ControlContext, id: ServiceId, { version, spec }: { readonly version: number; readonly spec: ServiceSpec }): Promise<void> {
  checkServiceSpec(spec);
  const newRevisionId = newId(random);
  await store.update((tx) => {
    const service = requireService(tx, id);
    requireVersion(`Service "${service.spec.name}"`, service, version);
    checkServiceChange(service.spec, spec);
    const revisionId = revisionFor(tx, service, { spec, newRevisionId });
    tx.service.update({ ...withoutStatus(service), spec, revisionId, ...previousOf(service, revisionId) });
  });
}

/** See ControlPlane.updateService with `rollback`: spec and previous spec change places, so that rolling back twice changes nothing. */
export async function rollBackService({ store, clock }: ControlContext, id: ServiceId, version: number): Promise<void> {
  await store.update((tx) => {
    const service = requireService(tx, id);
    const { spec, previousSpec, revisionId, previousRevisionId } = service;
    requireVersion(`Service "${spec.name}"`, service, version);
    if (!previousSpec || previousRevisionId === undefined) {
      throw new OrchError('ORCH_INVALID', `Service "${spec.name}" has no previous spec to roll back to`, { hint: 'It has not been updated, or was rolled back already' });
    }
    tx.service.update({
      ...service, spec: previousSpec, revisionId: previousRevisionId, previousSpec: spec, previousRevisionId: revisionId,
      updateStatus: { state: 'rollback-started', startedAtMs: clock.now(), message: 'manually requested rollback' },
    });
  });
}

/** See ControlPlane.removeService. */
export async function removeService({ store }: ControlContext, id: ServiceId): Promise<void> {
  await store.update((tx) => tx.service.update({ ...requireService(tx, id), removing: true }));
}

function requireService(tx: Tx, id: ServiceId): Service {
  const service = tx.service.get(id);
  if (service && !service.removing) return service;
  throw new OrchError('ORCH_NOT_FOUND', `Service ${id} does not exist`, { details: { id } });
}

function revisionFor(tx: Tx, service: Service, { spec, newRevisionId }: { readonly spec: ServiceSpec; readonly newRevisionId: RevisionId }): RevisionId {
  if (canonicalJson([spec.template, spec.endpoint.ports]) === canonicalJson([service.spec.template, service.spec.endpoint.ports])) return service.revisionId;
  tx.revision.create({ id: newRevisionId, serviceId: service.id, template: spec.template, ports: spec.endpoint.ports });
  return newRevisionId;
}

/** What a rollback returns to. Scaling in the middle of an update must not make the revision on trial the one to return to. */
function previousOf(service: Service, revisionId: RevisionId): Pick<Service, 'previousSpec' | 'previousRevisionId'> {
  const updating = service.updateStatus !== undefined && service.updateStatus.completedAtMs === undefined;
  if (updating && revisionId === service.revisionId) return {};
  return { previousSpec: service.spec, previousRevisionId: service.revisionId };
}

/** The update orchestrator begins anew with the new spec. */
function withoutStatus(service: Service): Service {
  const { updateStatus: _, ...rest } = service;
  return rest;
}
