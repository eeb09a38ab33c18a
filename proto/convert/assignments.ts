import type { AssignedTask, Assignments } from '../../model/assignment.ts';
import { OrchError } from '../../model/errors.ts';
import type { Revision } from '../../model/service.ts';
import { desiredStates } from '../../model/task.ts';
import type { orch } from '../gen/node.js';
import { enumNumber, enumWord, present, wholeNumber } from './fields.ts';
import { taskStatusFromWire, taskStatusToWire } from './task-status.ts';

export function assignmentsToWire(assignments: Assignments): orch.node.v1.Assignments.$Properties {
  return {
    snapshot: assignments.snapshot,
    epoch: assignments.epoch,
    baseSequence: assignments.baseSequence,
    sequence: assignments.sequence,
    tasks: assignments.tasks.map(taskToWire),
    removedTaskIds: [...assignments.removedTaskIds],
    revisions: assignments.revisions.map((revision) => ({ id: revision.id, json: JSON.stringify(revision) })),
    removedRevisionIds: [...assignments.removedRevisionIds],
    bridgeSubnet: assignments.bridgeSubnet ?? null,
  };
}

/** Throws ORCH_INVALID for a value that this version does not know. */
export function assignmentsFromWire(wire: orch.node.v1.Assignments): Assignments {
  return {
    snapshot: wire.snapshot,
    epoch: wire.epoch,
    baseSequence: wholeNumber(wire.baseSequence, 'The base sequence of assignments'),
    sequence: wholeNumber(wire.sequence, 'The sequence of assignments'),
    tasks: wire.tasks.map(taskFromWire),
    removedTaskIds: [...wire.removedTaskIds],
    revisions: wire.revisions.map(revisionFromWire),
    removedRevisionIds: [...wire.removedRevisionIds],
    ...(wire.bridgeSubnet === null ? {} : { bridgeSubnet: wire.bridgeSubnet }),
  };
}

function taskToWire(task: AssignedTask): orch.node.v1.AssignedTask.$Properties {
  return {
    id: task.id, serviceId: task.serviceId, serviceName: task.serviceName, serviceLabels: task.serviceLabels,
    revisionId: task.revisionId, slot: task.slot, desired: enumNumber(desiredStates, task.desired), status: taskStatusToWire(task.status),
  };
}

function taskFromWire(wire: orch.node.v1.AssignedTask): AssignedTask {
  return {
    id: wire.id, serviceId: wire.serviceId, serviceName: wire.serviceName, serviceLabels: { ...wire.serviceLabels },
    revisionId: wire.revisionId, slot: wire.slot,
    desired: enumWord(desiredStates, wire.desired, `The desired state of task ${wire.id}`),
    status: taskStatusFromWire(present(wire.status, `The status of task ${wire.id}`)),
  };
}

function revisionFromWire(wire: orch.node.v1.AssignedRevision): Revision {
  const value = parseJson(wire);
  if (!isRevision(value) || value.id !== wire.id) throw new OrchError('ORCH_INVALID', `Revision ${wire.id} arrived in a form that this version of orch does not know`);
  return value;
}

function parseJson(wire: orch.node.v1.AssignedRevision): unknown {
  try {
    return JSON.parse(wire.json);
  } catch (cause) {
    throw new OrchError('ORCH_INVALID', `Revision ${wire.id} arrived as something that is not JSON`, { cause });
  }
}

/** Checks what every use of a revision relies on; the manager's store has checked the rest when the service was written. */
function isRevision(value: unknown): value is Revision {
  if (!isObject(value) || typeof value['id'] !== 'string' || typeof value['serviceId'] !== 'string' || !Array.isArray(value['ports'])) return false;
  const template = value['template'];
  return isObject(template) && isObject(template['container']) && typeof template['container']['image'] === 'string';
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
