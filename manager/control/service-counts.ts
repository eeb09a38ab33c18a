import type { ServiceId } from '../../model/meta.ts';
import { isEnded, isWanted, type Task } from '../../model/task.ts';
import type { Store, View } from '../../store/store.ts';

export type ServiceCount = { readonly running: number; readonly desired: number; readonly completed: number };

/** Counts of tasks by service, kept until one of the service's tasks or its nodes changes. */
export class ServiceCounts implements Disposable {
  readonly #store: Store;
  readonly #known = new Map<ServiceId, ServiceCount>();
  readonly #listening: Disposable;

  constructor(store: Store) {
    this.#store = store;
    this.#listening = store.subscribe(({ changes }) => {
      for (const change of changes) {
        if (change.kind === 'service') this.#known.delete(change.id);
        else if (change.kind === 'task') this.#known.delete((change.after ?? change.before)?.serviceId ?? '');
        else if (change.kind === 'node' && change.before?.status.state !== change.after?.status.state) this.#known.clear();
      }
    });
  }

  /** All zero for a service that does not exist. */
  of(serviceId: ServiceId): ServiceCount {
    return this.#known.getOrInsertComputed(serviceId, () => this.#store.view((view) => countTasks(view, serviceId)));
  }

  [Symbol.dispose](): void { this.#listening[Symbol.dispose](); }
}

/** Tasks on nodes that are down count as neither running nor, for global services, wanted. */
function countTasks(view: View, serviceId: ServiceId): ServiceCount {
  const tasks = view.task.by('service', serviceId);
  const mode = view.service.get(serviceId)?.spec.mode;
  const reachable = (task: Task): boolean => task.nodeId === undefined || view.node.get(task.nodeId)?.status.state !== 'down';
  const wanted = tasks.filter((task) => isWanted(task.desired) && reachable(task));
  return {
    running: wanted.filter((task) => task.status.state === 'running').length,
    desired: mode?.type === 'replicated' ? mode.replicas : wanted.filter((task) => !isEnded(task.status.state)).length,
    completed: tasks.filter((task) => task.status.state === 'complete').length,
  };
}
