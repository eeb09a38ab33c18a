import { OrchError } from '../../model/errors.ts';
import { nodeName, type Node } from '../../model/node.ts';
import type { Service } from '../../model/service.ts';
import type { Task } from '../../model/task.ts';
import type { Change, Store } from '../../store/store.ts';

/** One thing that happened to a cluster object; api/control-plane.ts has the contract. */
export type ControlEvent = {
  readonly type: 'service' | 'node' | 'task' | 'network';
  readonly action: 'create' | 'update' | 'remove';
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
};

/** Events that a reader may be behind. */
const QUEUE_LIMIT = 100_000;

/** Every change from the call on; ends when aborted. Throws ORCH_CONFLICT when the reader falls too far behind. */
export function watchEvents(store: Store, signal: AbortSignal, now: () => number): AsyncIterable<ControlEvent> {
  const queue: ControlEvent[] = [];
  let arrival = Promise.withResolvers<void>();
  let overrun = false;
  const listening = store.subscribe(({ changes }) => {
    if (overrun) return;
    for (const change of changes) queue.push(...eventsOf(change, now()));
    overrun = queue.length > QUEUE_LIMIT;
    arrival.resolve();
  });
  const stop = (): void => {
    listening[Symbol.dispose]();
    arrival.resolve();
  };
  signal.addEventListener('abort', stop, { once: true });
  async function* read(): AsyncIterable<ControlEvent> {
    try {
      while (!signal.aborted) {
        yield* queue.splice(0);
        if (overrun) throw new OrchError('ORCH_CONFLICT', 'The reader of events is too far behind', { hint: 'Read the current state and watch again' });
        await arrival.promise;
        arrival = Promise.withResolvers<void>();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }
  return read();
}

/** What a change means to people: none when only bookkeeping has changed. */
function eventsOf(change: Change, nowMs: number): ControlEvent[] {
  switch (change.kind) {
    case 'service': return serviceEvents(change, nowMs);
    case 'node': return toEvent('node', change, { attributes: nodeAttributes, nowMs });
    case 'task': return toEvent('task', change, { attributes: taskAttributes, nowMs });
    case 'network': return toEvent('network', change, { attributes: (network) => ({ name: network.spec.name }), nowMs });
    case 'cluster': case 'blockedNode': case 'revision': return [];
  }
}

/** To its user a service is gone when its removal is asked for. */
function serviceEvents(change: Change<'service'>, nowMs: number): ControlEvent[] {
  const { id, before, after } = change;
  const hide = (service: Service | undefined): Service | undefined => service?.removing ? undefined : service;
  return toEvent('service', { id, before: hide(before), after: hide(after) }, { attributes: serviceAttributes, nowMs });
}

type Described<T> = { readonly attributes: (object: T) => Record<string, string>; readonly nowMs: number };

/** Attributes of the object; in updates each one that changed also as `name.old` and `name.new`, and no event when none did. */
function toEvent<T>(type: ControlEvent['type'], change: { readonly id: string; readonly before: T | undefined; readonly after: T | undefined }, { attributes, nowMs }: Described<T>): ControlEvent[] {
  const { id, before, after } = change;
  const old = before === undefined ? undefined : attributes(before);
  const current = after === undefined ? undefined : attributes(after);
  if (current && old) {
    const changed = Object.keys({ ...old, ...current }).filter((name) => old[name] !== current[name]);
    if (changed.length === 0) return [];
    const pairs = changed.flatMap((name) => [[`${name}.old`, old[name] ?? ''], [`${name}.new`, current[name] ?? '']]);
    return [{ type, action: 'update', id, attributes: { name: current['name'] ?? '', ...Object.fromEntries(pairs) }, atMs: nowMs }];
  }
  const only = current ?? old;
  return only ? [{ type, action: current ? 'create' : 'remove', id, attributes: only, atMs: nowMs }] : [];
}

const serviceAttributes = ({ spec, revisionId, updateStatus }: Service): Record<string, string> => ({
  name: spec.name,
  image: spec.template.container.image,
  revision: revisionId,
  ...(spec.mode.type === 'replicated' ? { replicas: String(spec.mode.replicas) } : {}),
  ...(updateStatus ? { updatestate: updateStatus.state } : {}),
});

const nodeAttributes = (node: Node): Record<string, string> => ({
  name: nodeName(node), state: node.status.state, availability: node.spec.availability, role: node.spec.role,
});

const taskAttributes = (task: Task): Record<string, string> => ({
  name: `${task.serviceId}.${task.slot || task.nodeId || ''}.${task.id}`, service: task.serviceId, node: task.nodeId ?? '', state: task.status.state, desired: task.desired,
});
