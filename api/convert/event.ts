import type { ContainerEvent } from '../../model/container.ts';
import type { HubEvent } from '../event-hub.ts';

/** A change of a container as an event of this node, with Docker's attributes: image, name, labels, and the exit code of its end. */
export function containerEvent({ action, container, atMs }: ContainerEvent): HubEvent {
  const { create, exitCode } = container;
  const exit: Record<string, string> = action === 'die' && exitCode !== undefined ? { exitCode: String(exitCode) } : {};
  return { type: 'container', action, id: container.id, attributes: { ...create.labels, image: create.image, name: container.name, ...exit }, scope: 'local', atMs };
}

/** Docker's EventMessage. */
export function dockerEvent(event: HubEvent): object {
  const isContainerOrImage = event.type === 'container' || event.type === 'image';
  return {
    // Fields of the API before 1.22 that clients still read.
    ...(isContainerOrImage ? { status: event.action, id: event.id } : {}),
    ...(event.type === 'container' ? { from: event.attributes['image'] ?? '' } : {}),
    Type: event.type, Action: event.action, Actor: { ID: event.id, Attributes: event.attributes },
    scope: event.scope, time: Math.floor(event.atMs / 1000), timeNano: event.atMs * 1e6,
  };
}
