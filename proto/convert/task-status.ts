import { taskStates } from '../../model/task.ts';
import type { TaskContainer, TaskStatus } from '../../model/task.ts';
import type { orch } from '../gen/node.js';
import { enumNumber, enumWord, oneOf, wholeNumber } from './fields.ts';

type BoundPort = NonNullable<TaskStatus['ports']>[number];

/** An empty list of ports is the same as none on the wire. */
export function taskStatusToWire(status: TaskStatus): orch.node.v1.TaskStatus.$Properties {
  return {
    state: enumNumber(taskStates, status.state),
    atMs: status.atMs,
    message: status.message,
    error: status.error ?? null,
    container: status.container ? { ...status.container, addresses: [...status.container.addresses] } : null,
    exitCode: status.exitCode ?? null,
    ports: (status.ports ?? []).map((port) => ({ ...port })),
  };
}

/** Throws ORCH_INVALID for a state or protocol that this version does not know. */
export function taskStatusFromWire(wire: orch.node.v1.TaskStatus): TaskStatus {
  return {
    state: enumWord(taskStates, wire.state, 'The state of a task'),
    atMs: wholeNumber(wire.atMs, 'The time of a task status'),
    message: wire.message,
    ...(wire.error === null ? {} : { error: wire.error }),
    ...(wire.container === null ? {} : { container: containerFromWire(wire.container) }),
    ...(wire.exitCode === null ? {} : { exitCode: wire.exitCode }),
    ...(wire.ports.length === 0 ? {} : { ports: wire.ports.map(portFromWire) }),
  };
}

function containerFromWire(wire: orch.node.v1.TaskContainer): TaskContainer {
  return { id: wire.id, pid: wire.pid, addresses: [...wire.addresses] };
}

function portFromWire(wire: orch.node.v1.BoundPort): BoundPort {
  return { protocol: oneOf(wire.protocol, ['tcp', 'udp', 'sctp'], 'The protocol of a port'), targetPort: wire.targetPort, publishedPort: wire.publishedPort };
}
