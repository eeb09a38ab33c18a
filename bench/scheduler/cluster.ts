import { node, revision, task } from '../../model/testing.ts';
import type { TemplateOverrides } from '../../model/testing.ts';
import { SchedulerState } from '../../scheduler/scheduler-state.ts';

/** Plain services ask for nothing; rich ones reserve 0.1 CPU and 64 MiB, refuse one zone of three and spread over racks; distinct ones are rich with a constraint of their own each. */
export type Kind = 'plain' | 'rich' | 'distinct';

export type Scenario = { readonly kind: Kind; readonly nodes: number; readonly services: number; readonly tasks: number; readonly limitMs?: number };

/** Tasks in equal shares for every service, all pending. Nodes of 64 CPUs and 256 GiB in 3 zones and 10 racks, as in the measurements of Docker Swarm's scheduler that these are compared with. */
export function buildState({ kind, nodes, services, tasks }: Scenario): SchedulerState {
  const state = new SchedulerState();
  for (let index = 0; index < nodes; index += 1) {
    state.upsertNode(node({ id: `node-${index}`, labels: { zone: `z${index % 3}`, rack: `r${index % 10}` }, nanoCpus: 64e9, memoryBytes: 256 * 1024 ** 3 }));
  }
  for (let index = 0; index < services; index += 1) {
    state.upsertRevision(revision({ id: `revision-${index}`, serviceId: `service-${index}`, template: templateOf(kind, index) }));
  }
  for (let index = 0; index < tasks; index += 1) state.upsertTask(task({ id: `task-${index}`, serviceId: `service-${index % services}`, revisionId: `revision-${index % services}` }));
  return state;
}

function templateOf(kind: Kind, service: number): TemplateOverrides {
  if (kind === 'plain') return {};
  const own = kind === 'distinct' ? [`node.labels.tenant!=t${service}`] : [];
  return { reserve: { nanoCpus: 1e8, memoryBytes: 64 * 1024 ** 2 }, placement: { constraints: ['node.labels.zone!=z2', ...own], spread: ['node.labels.rack'] } };
}
