import type { Container } from '../model/container.ts';
import type { ContainerId, NodeId, TaskId } from '../model/meta.ts';
import type { Attachment } from '../network/node-network.ts';
import { containerIdOf, taskLabels } from './task-names.ts';

export type CleanupFacts = {
  readonly nodeId: NodeId;
  readonly containers: readonly Pick<Container, 'id' | 'create'>[];
  readonly attachments: readonly Pick<Attachment, 'containerId'>[];
  readonly taskIds: Iterable<TaskId>;
};

/** Pure: containers of tasks that this node does not have, and network attachments that belong to no container; things that others made are left alone. */
export function planCleanup(facts: CleanupFacts): { readonly containers: ContainerId[]; readonly attachments: ContainerId[] } {
  const known = new Set([...facts.taskIds].map(containerIdOf));
  const containers = facts.containers.filter((container) => isOfTask(container, facts.nodeId) && !known.has(container.id)).map((container) => container.id);
  const existing = new Set(facts.containers.map((container) => container.id));
  const attachments = facts.attachments.map((attachment) => attachment.containerId).filter((id) => !known.has(id) && !existing.has(id));
  return { containers, attachments };
}

const isOfTask = ({ create: { labels } }: Pick<Container, 'create'>, nodeId: NodeId): boolean => labels[taskLabels.taskId] !== undefined && labels[taskLabels.nodeId] === nodeId;
