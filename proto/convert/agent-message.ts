import { assertNever, OrchError } from '../../model/errors.ts';
import type { NodeDescription } from '../../model/node.ts';
import { orch } from '../gen/node.js';
import type { AgentMessage, TaskReport } from '../session-messages.ts';
import { decodeWire, present, toBuffer, wholeNumber } from './fields.ts';
import { taskStatusFromWire, taskStatusToWire } from './task-status.ts';

type Wire = orch.node.v1.AgentMessage;

export function encodeAgentMessage(message: AgentMessage): Buffer {
  return toBuffer(orch.node.v1.AgentMessage.encode(toWire(message)).finish());
}

/** Throws ORCH_INVALID for bytes, or values in them, that this version does not understand. */
export function decodeAgentMessage(bytes: Uint8Array): AgentMessage {
  return fromWire(decodeWire<Wire>((reader) => orch.node.v1.AgentMessage.decode(reader), bytes, 'message of an agent'));
}

function toWire(message: AgentMessage): orch.node.v1.AgentMessage.$Properties {
  switch (message.type) {
    case 'hello': return { hello: {
      description: descriptionToWire(message.description), assignmentEpoch: message.assignmentEpoch,
      assignmentSequence: message.assignmentSequence, orchVersion: message.orchVersion, nowMs: message.nowMs,
    } };
    case 'heartbeat': return { heartbeat: {} };
    case 'status': return { status: {
      sequence: message.sequence, reports: message.reports.map(({ taskId, status }) => ({ taskId, status: taskStatusToWire(status) })),
    } };
    case 'goodbye': return { goodbye: { forGood: message.forGood } };
    case 'description': return { description: descriptionToWire(message.description) };
    default: return assertNever(message);
  }
}

function fromWire(wire: Wire): AgentMessage {
  switch (wire.message) {
    case 'hello': return helloFromWire(present(wire.hello, 'The hello of an agent'));
    case 'heartbeat': return { type: 'heartbeat' };
    case 'status': return statusFromWire(present(wire.status, 'The status batch of an agent'));
    case 'goodbye': return { type: 'goodbye', forGood: present(wire.goodbye, 'The goodbye of an agent').forGood };
    case 'description': return { type: 'description', description: descriptionFromWire(present(wire.description, 'The description of a node')) };
    case undefined: throw new OrchError('ORCH_INVALID', 'An agent sent a message of a type that this version of orch does not know');
    default: return assertNever(wire.message);
  }
}

function helloFromWire(wire: orch.node.v1.Hello): AgentMessage {
  return {
    type: 'hello',
    description: descriptionFromWire(present(wire.description, 'The description of a node')),
    assignmentEpoch: wire.assignmentEpoch,
    assignmentSequence: wholeNumber(wire.assignmentSequence, 'The assignment sequence of a hello'),
    orchVersion: wire.orchVersion,
    nowMs: wholeNumber(wire.nowMs, 'The time of a hello'),
  };
}

function statusFromWire(wire: orch.node.v1.StatusBatch): AgentMessage {
  return { type: 'status', sequence: wholeNumber(wire.sequence, 'The sequence of a status batch'), reports: wire.reports.map(reportFromWire) };
}

function reportFromWire(wire: orch.node.v1.TaskReport): TaskReport {
  return { taskId: wire.taskId, status: taskStatusFromWire(present(wire.status, 'The status of a task')) };
}

function descriptionToWire(description: NodeDescription): orch.node.v1.NodeDescription.$Properties {
  return {
    hostname: description.hostname, os: description.platform.os, arch: description.platform.arch,
    nanoCpus: description.resources.nanoCpus, memoryBytes: description.resources.memoryBytes,
    engineVersion: description.engineVersion, engineLabels: description.engineLabels,
  };
}

function descriptionFromWire(wire: orch.node.v1.NodeDescription): NodeDescription {
  return {
    hostname: wire.hostname,
    platform: { os: wire.os, arch: wire.arch },
    resources: { nanoCpus: wholeNumber(wire.nanoCpus, 'The CPU capacity of a node'), memoryBytes: wholeNumber(wire.memoryBytes, 'The memory capacity of a node') },
    engineVersion: wire.engineVersion,
    engineLabels: { ...wire.engineLabels },
  };
}
