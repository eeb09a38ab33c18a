import { laterDesired, type DesiredState } from '../../model/task.ts';
import type { ServiceId } from '../../model/meta.ts';
import type { UpdateStatus } from '../../model/service.ts';
import { assertNever } from '../../model/errors.ts';
import type { Tx } from '../../store/store.ts';
import type { ReaperAction } from './plan-reaper.ts';
import type { Action } from './snapshot.ts';

export type ApplyContext = { readonly serviceId: ServiceId; readonly nowMs: number; readonly newId: () => string };

/** Writes one planned action. */
export function applyAction(tx: Tx, action: Action, context: ApplyContext): void {
  switch (action.type) {
    case 'create-task': return createTask(tx, action, context);
    case 'set-desired': return setTaskDesired(tx, action.taskId, action.desired);
    case 'set-update-status': return setUpdateStatus(tx, context.serviceId, action.status);
    case 'roll-back': return rollBack(tx, context.serviceId, action.status);
    default: return assertNever(action);
  }
}

/** Writes one action of the reaper. */
export function applyReaperAction(tx: Tx, action: ReaperAction): void {
  switch (action.type) {
    case 'delete-task': return tx.task.delete(action.taskId);
    case 'delete-revision': return tx.revision.delete(action.revisionId);
    case 'delete-service': return tx.service.delete(action.serviceId);
    default: return assertNever(action);
  }
}

function createTask(tx: Tx, action: Extract<Action, { type: 'create-task' }>, { serviceId, nowMs, newId }: ApplyContext): void {
  for (const taskId of action.replaces) setTaskDesired(tx, taskId, 'shutdown');
  tx.task.create({
    id: newId(), serviceId, revisionId: action.revisionId, slot: action.slot, attempt: action.attempt, desired: action.desired,
    ...(action.nodeId === undefined ? {} : { nodeId: action.nodeId }),
    status: { state: 'new', atMs: nowMs, message: 'created' },
  });
}

function setTaskDesired(tx: Tx, taskId: string, desired: DesiredState): void {
  const task = tx.task.get(taskId);
  if (!task) return; // the reaper was faster
  const later = laterDesired(task.desired, desired);
  if (later !== task.desired) tx.task.update({ ...task, desired: later });
}

function setUpdateStatus(tx: Tx, serviceId: ServiceId, updateStatus: UpdateStatus): void {
  const service = tx.service.get(serviceId);
  if (service) tx.service.update({ ...service, updateStatus });
}

/** The failed spec is not kept as the previous one: rolling back twice must not bring it back. */
function rollBack(tx: Tx, serviceId: ServiceId, updateStatus: UpdateStatus): void {
  const service = tx.service.get(serviceId);
  if (!service?.previousSpec || service.previousRevisionId === undefined) return;
  const { previousSpec, previousRevisionId, ...rest } = service;
  tx.service.update({ ...rest, spec: previousSpec, revisionId: previousRevisionId, updateStatus });
}
