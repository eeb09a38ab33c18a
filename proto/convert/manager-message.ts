import { assertNever, OrchError } from '../../model/errors.ts';
import type { LogQuery } from '../../model/log-record.ts';
import { orch } from '../gen/node.js';
import type { ManagerMessage } from '../session-messages.ts';
import { assignmentsFromWire, assignmentsToWire } from './assignments.ts';
import { decodeWire, present, toBuffer, wholeNumber } from './fields.ts';

type Wire = orch.node.v1.ManagerMessage;
type LogSubscription = Extract<ManagerMessage, { type: 'log-subscription' }>;

export function encodeManagerMessage(message: ManagerMessage): Buffer {
  return toBuffer(orch.node.v1.ManagerMessage.encode(toWire(message)).finish());
}

/** Throws ORCH_INVALID for bytes, or values in them, that this version does not understand. */
export function decodeManagerMessage(bytes: Uint8Array): ManagerMessage {
  return fromWire(decodeWire<Wire>((reader) => orch.node.v1.ManagerMessage.decode(reader), bytes, 'message of a manager'));
}

function toWire(message: ManagerMessage): orch.node.v1.ManagerMessage.$Properties {
  switch (message.type) {
    case 'welcome': return { welcome: {
      nodeId: message.nodeId, heartbeatPeriodMs: message.heartbeatPeriodMs, managers: [...message.managers],
      bridgeSubnet: message.bridgeSubnet, clusterId: message.clusterId,
    } };
    case 'heartbeat-ack': return { heartbeatAck: { heartbeatPeriodMs: message.heartbeatPeriodMs } };
    case 'assignments': return { assignments: assignmentsToWire(message.assignments) };
    case 'status-accepted': return { statusAccepted: { sequence: message.sequence } };
    case 'log-subscription': return { logSubscription: subscriptionToWire(message) };
    case 'log-cancel': return { logCancel: { id: message.id } };
    case 'renew-now': return { renewNow: {} };
    default: return assertNever(message);
  }
}

function fromWire(wire: Wire): ManagerMessage {
  switch (wire.message) {
    case 'welcome': return welcomeFromWire(present(wire.welcome, 'The welcome of a manager'));
    case 'heartbeatAck': return { type: 'heartbeat-ack', heartbeatPeriodMs: present(wire.heartbeatAck, 'The answer to a heartbeat').heartbeatPeriodMs };
    case 'assignments': return { type: 'assignments', assignments: assignmentsFromWire(present(wire.assignments, 'The assignments of a node')) };
    case 'statusAccepted': return {
      type: 'status-accepted', sequence: wholeNumber(present(wire.statusAccepted, 'The answer to a status batch').sequence, 'The sequence of an accepted status batch'),
    };
    case 'logSubscription': return subscriptionFromWire(present(wire.logSubscription, 'The log subscription'));
    case 'logCancel': return { type: 'log-cancel', id: present(wire.logCancel, 'The end of a log subscription').id };
    case 'renewNow': return { type: 'renew-now' };
    case undefined: throw new OrchError('ORCH_INVALID', 'A manager sent a message of a type that this version of orch does not know');
    default: return assertNever(wire.message);
  }
}

function welcomeFromWire(wire: orch.node.v1.Welcome): ManagerMessage {
  return {
    type: 'welcome', nodeId: wire.nodeId, heartbeatPeriodMs: wire.heartbeatPeriodMs, managers: [...wire.managers],
    bridgeSubnet: wire.bridgeSubnet, clusterId: wire.clusterId,
  };
}

function subscriptionToWire({ id, taskId, query }: LogSubscription): orch.node.v1.LogSubscription.$Properties {
  const { tail, ...rest } = query;
  return { id, taskId, ...rest, tail: Number.isFinite(tail) ? tail : null };
}

function subscriptionFromWire(wire: orch.node.v1.LogSubscription): LogSubscription {
  const query: LogQuery = {
    stdout: wire.stdout, stderr: wire.stderr, follow: wire.follow,
    sinceMs: wholeNumber(wire.sinceMs, 'The start of a log query'), untilMs: wholeNumber(wire.untilMs, 'The end of a log query'),
    tail: wire.tail ?? Number.POSITIVE_INFINITY,
  };
  return { type: 'log-subscription', id: wire.id, taskId: wire.taskId, query };
}
