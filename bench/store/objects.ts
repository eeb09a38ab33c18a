import type { NewObject } from '../../store/store.ts';
import { makeIds } from './measure.ts';

const TASKS_PER_SERVICE = 50;
const NODES = 200;

/** `count` tasks as a manager writes them, of services with 50 tasks each, on 200 nodes. */
export function makeTasks(count: number, atMs: number): NewObject<'task'>[] {
  const services = makeIds(Math.ceil(count / TASKS_PER_SERVICE), 2);
  const revisions = makeIds(services.length, 3);
  const nodes = makeIds(NODES, 4);
  return makeIds(count, 5).map((id, index) => {
    const service = Math.floor(index / TASKS_PER_SERVICE);
    return {
      id, serviceId: services[service] ?? '', revisionId: revisions[service] ?? '', slot: index % TASKS_PER_SERVICE + 1, nodeId: nodes[index % NODES] ?? '',
      desired: 'running',
      status: { state: 'running', atMs, message: 'started', container: { id: id.repeat(3).slice(0, 64), pid: 1000 + index, addresses: ['10.200.3.7/24'] } },
    };
  });
}
