import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { AssignedTask, Assignments } from '../../model/assignment.ts';
import { isOrchError } from '../../model/errors.ts';
import type { LogRecord } from '../../model/log-record.ts';
import type { NodeDescription } from '../../model/node.ts';
import type { Revision } from '../../model/service.ts';
import { desiredStates, taskStates } from '../../model/task.ts';
import type { TaskStatus } from '../../model/task.ts';
import { orch } from '../gen/node.js';
import type { AgentMessage, ManagerMessage } from '../session-messages.ts';
import { decodeAgentMessage, encodeAgentMessage } from './agent-message.ts';
import { decodeCaResponse, decodeJoinRequest, decodeJoinResponse, encodeCaResponse, encodeJoinRequest, encodeJoinResponse } from './join.ts';
import { decodeLogMessage, encodeLogMessage } from './log-message.ts';
import type { LogMessage } from './log-message.ts';
import { decodeManagerMessage, encodeManagerMessage } from './manager-message.ts';
import { decodeRenewalRequest, decodeRenewalResponse, encodeRenewalRequest, encodeRenewalResponse } from './renewal.ts';

/** Records with the prototype that every object of the model has. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> => fc.record<T>(model, { noNullPrototype: true });

const text = fc.string({ unit: 'grapheme' });
const count = fc.maxSafeNat();
const small = fc.nat({ max: 2 ** 31 - 1 });
const labels = fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true });
const protocol = fc.constantFrom('tcp', 'udp', 'sctp');

const taskStatus: fc.Arbitrary<TaskStatus> = fc.record({
  state: fc.constantFrom(...taskStates), atMs: count, message: text, error: text,
  container: record({ id: text, pid: small, addresses: fc.array(text, { maxLength: 3 }) }),
  exitCode: fc.integer({ min: -1, max: 255 }),
  ports: fc.array(record({ protocol, targetPort: small, publishedPort: small }), { minLength: 1, maxLength: 3 }),
}, { noNullPrototype: true, requiredKeys: ['state', 'atMs', 'message'] });

const description: fc.Arbitrary<NodeDescription> = record({
  hostname: text, platform: record({ os: text, arch: text }), resources: record({ nanoCpus: count, memoryBytes: count }), engineVersion: text, engineLabels: labels,
});

const revision: fc.Arbitrary<Revision> = record({
  id: text, version: count, createdAtMs: count, updatedAtMs: count, serviceId: text,
  template: record({
    container: fc.record({ image: text, env: fc.array(text), labels }, { noNullPrototype: true, requiredKeys: ['image'] }),
    resources: record({ limits: fc.record({ nanoCpus: count }, { noNullPrototype: true, requiredKeys: [] }), reservations: fc.constant({}) }),
    restart: record({ condition: fc.constantFrom('none', 'on-failure', 'any'), delayMs: count, maxAttempts: count, windowMs: count }),
    placement: record({ constraints: fc.array(text), spread: fc.array(text), maxReplicasPerNode: count, platforms: fc.constant([]) }),
    networks: fc.constant([]), forceUpdate: count,
  }),
  ports: fc.array(record({ protocol, targetPort: small, publishedPort: small, mode: fc.constantFrom('ingress', 'host') }), { maxLength: 2 }),
});

const assignedTask: fc.Arbitrary<AssignedTask> = record({
  id: text, serviceId: text, serviceName: text, serviceLabels: labels, revisionId: text, slot: small, desired: fc.constantFrom(...desiredStates), status: taskStatus,
});

const assignments: fc.Arbitrary<Assignments> = fc.record({
  snapshot: fc.boolean(), epoch: text, baseSequence: count, sequence: count, tasks: fc.array(assignedTask, { maxLength: 3 }),
  removedTaskIds: fc.array(text, { maxLength: 3 }), revisions: fc.array(revision, { maxLength: 2 }), removedRevisionIds: fc.array(text, { maxLength: 3 }), bridgeSubnet: text,
}, { noNullPrototype: true, requiredKeys: ['snapshot', 'epoch', 'baseSequence', 'sequence', 'tasks', 'removedTaskIds', 'revisions', 'removedRevisionIds'] });

const agentMessage: fc.Arbitrary<AgentMessage> = fc.oneof(
  record({ type: fc.constant('hello'), description, assignmentEpoch: text, assignmentSequence: count, orchVersion: text, nowMs: count }),
  record({ type: fc.constant('heartbeat') }),
  record({ type: fc.constant('status'), sequence: count, reports: fc.array(record({ taskId: text, status: taskStatus }), { maxLength: 3 }) }),
  record({ type: fc.constant('goodbye'), forGood: fc.boolean() }),
  record({ type: fc.constant('description'), description }),
);

const logQuery = record({ stdout: fc.boolean(), stderr: fc.boolean(), follow: fc.boolean(), sinceMs: count, untilMs: count, tail: fc.oneof(small, fc.constant(Number.POSITIVE_INFINITY)) });

const managerMessage: fc.Arbitrary<ManagerMessage> = fc.oneof(
  record({ type: fc.constant('welcome'), nodeId: text, heartbeatPeriodMs: small, managers: fc.array(text, { maxLength: 3 }), bridgeSubnet: text, clusterId: text }),
  record({ type: fc.constant('heartbeat-ack'), heartbeatPeriodMs: small }),
  record({ type: fc.constant('assignments'), assignments }),
  record({ type: fc.constant('status-accepted'), sequence: count }),
  record({ type: fc.constant('log-subscription'), id: text, taskId: text, query: logQuery }),
  record({ type: fc.constant('log-cancel'), id: text }),
  record({ type: fc.constant('renew-now') }),
);

const logRecord: fc.Arbitrary<LogRecord> = record({ stream: fc.constantFrom('stdout', 'stderr'), time: text, line: fc.uint8Array({ maxLength: 20 }), partial: fc.boolean() });
const logMessage: fc.Arbitrary<LogMessage> = fc.record({ subscriptionId: text, records: fc.array(logRecord, { maxLength: 3 }), error: text }, { noNullPrototype: true, requiredKeys: ['subscriptionId', 'records'] });

/** Lines as plain byte arrays, so that a Buffer equals the array it was made from. */
const plainLines = (message: LogMessage): unknown => ({ ...message, records: message.records.map((record) => ({ ...record, line: [...record.line] })) });

function survives<T>(arbitrary: fc.Arbitrary<T>, trip: (value: T) => unknown): void {
  fc.assert(fc.property(arbitrary, (value) => { assert.deepEqual(trip(value), value); }), { numRuns: 150 });
}

const invalid = (error: unknown): boolean => isOrchError(error, 'ORCH_INVALID');

describe('conversion between the wire and the model', () => {
  it('keeps every message of an agent as it is', () => survives(agentMessage, (message) => decodeAgentMessage(encodeAgentMessage(message))));

  it('keeps every message of a manager as it is', () => survives(managerMessage, (message) => decodeManagerMessage(encodeManagerMessage(message))));

  it('keeps log records with their bytes', () => {
    fc.assert(fc.property(logMessage, (message) => { assert.deepEqual(plainLines(decodeLogMessage(encodeLogMessage(message))), plainLines(message)); }));
  });

  it('keeps the messages of a join', () => {
    survives(record({ caPem: text, nowMs: count }), (message) => decodeCaResponse(encodeCaResponse(message)));
    survives(record({ token: text, csrPem: text, availability: text, hostname: text, advertiseAddress: text, nowMs: count }), (message) => decodeJoinRequest(encodeJoinRequest(message)));
    const role = fc.constantFrom('worker' as const, 'manager' as const);
    survives(record({ nodeId: text, certificatePem: text, caPem: text, clusterId: text, role }), (message) => decodeJoinResponse(encodeJoinResponse(message)));
  });

  it('keeps the messages of a renewal', () => {
    survives(record({ csrPem: text }), (message) => decodeRenewalRequest(encodeRenewalRequest(message)));
    survives(record({ certificatePem: text, caPem: text }), (message) => decodeRenewalResponse(encodeRenewalResponse(message)));
  });

  it('numbers states on the wire in the order of the model', () => {
    const wireWords = (values: object, prefix: string): string[] => Object.keys(values).slice(1).map((name) => name.slice(prefix.length).toLowerCase());
    assert.deepEqual(wireWords(orch.node.v1.TaskState, 'TASK_STATE_'), [...taskStates]);
    assert.deepEqual(wireWords(orch.node.v1.DesiredState, 'DESIRED_STATE_'), [...desiredStates]);
  });

  it('refuses bytes that are no message, and never with anything but ORCH_INVALID', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      for (const decode of [decodeAgentMessage, decodeManagerMessage, decodeLogMessage, decodeJoinRequest, decodeJoinResponse, decodeRenewalRequest]) {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(invalid(error), String(error));
        }
      }
    }));
  });

  it('refuses a message type, a state or a protocol that this version does not know', () => {
    const { AgentMessage } = orch.node.v1;
    const statusOf = (status: orch.node.v1.TaskStatus.$Properties): Uint8Array => AgentMessage.encode({ status: { sequence: 1, reports: [{ taskId: 't', status }] } }).finish();
    assert.throws(() => decodeAgentMessage(new Uint8Array(0)), invalid);
    assert.throws(() => decodeAgentMessage(statusOf({ state: 0 })), invalid);
    assert.throws(() => decodeAgentMessage(statusOf({ state: Number("99") })), invalid);
    assert.throws(() => decodeAgentMessage(statusOf({ state: 8, ports: [{ protocol: 'dccp' }] })), invalid);
    assert.throws(() => decodeAgentMessage(statusOf({ state: 8, atMs: 2 ** 60 })), invalid);
    assert.throws(() => decodeAgentMessage(AgentMessage.encode({ hello: {} }).finish()), invalid);
  });

  it('refuses a revision that is no JSON or lacks its template', () => {
    const carrying = (json: string): Uint8Array => orch.node.v1.ManagerMessage.encode({ assignments: { revisions: [{ id: 'r', json }] } }).finish();
    for (const json of ['{', 'null', '{"id":"r"}', '{"id":"r","serviceId":"s","ports":[],"template":{}}']) assert.throws(() => decodeManagerMessage(carrying(json)), invalid, json);
  });
});
