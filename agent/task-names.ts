import { createHash } from 'node:crypto';
import type { AssignedTask } from '../model/assignment.ts';
import type { ContainerId, NodeId, TaskId } from '../model/meta.ts';

/** Labels by which Docker's tools, and orch after a restart, know a task's container. */
export const taskLabels = {
  nodeId: 'com.docker.swarm.node.id',
  serviceId: 'com.docker.swarm.service.id',
  serviceName: 'com.docker.swarm.service.name',
  task: 'com.docker.swarm.task',
  taskId: 'com.docker.swarm.task.id',
  taskName: 'com.docker.swarm.task.name',
} as const;

/** The one container that a task may ever have. The id follows from the task's, so whatever an interrupted agent made is found again and never made twice. */
export const containerIdOf = (taskId: TaskId): ContainerId => createHash('sha256').update(`task ${taskId}`).digest('hex');

/** What stands for the slot in names: its number, or the node for a global service. */
export const slotName = (task: Pick<AssignedTask, 'slot'>, nodeId: NodeId): string => task.slot > 0 ? String(task.slot) : nodeId;

/** Docker's name of a task and its container: `web.1.<task id>`. */
export const taskName = (task: Pick<AssignedTask, 'id' | 'serviceName' | 'slot'>, nodeId: NodeId): string => `${task.serviceName}.${slotName(task, nodeId)}.${task.id}`;
