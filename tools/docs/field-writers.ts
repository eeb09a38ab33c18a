import type { Cluster } from '../../model/cluster.ts';
import type { Meta } from '../../model/meta.ts';
import type { Node } from '../../model/node.ts';
import type { Revision, Service } from '../../model/service.ts';
import type { Task } from '../../model/task.ts';

type Writers<T> = { readonly [K in Exclude<keyof T, keyof Meta>]-?: string };

const task: Writers<Task> & { readonly 'the record itself': string } = {
  'the record itself': 'made by the orchestrator (`applyAction`), deleted by the reaper (`planReaper`)',
  serviceId: 'orchestrator, once', revisionId: 'orchestrator, once', slot: 'orchestrator, once', attempt: 'orchestrator, once',
  nodeId: 'scheduling loop, once; for a global service the orchestrator, once',
  desired: 'orchestrator; only ever later (`laterDesired`)',
  status: 'one writer for each state, see the diagram of section 4; why a pending task waits: scheduling loop; `runningAtMs`: dispatcher',
};

const withSpec = 'API; the one exception is a failed update with the action rollback, where the orchestrator returns to `previousSpec`';

const service: Writers<Service> & { readonly 'the record itself': string } = {
  'the record itself': 'made by the API, deleted by the reaper once `removing` and without tasks',
  spec: withSpec, previousSpec: withSpec, revisionId: withSpec, previousRevisionId: withSpec,
  updateStatus: 'orchestrator; the API clears it with every change of the spec and begins a rollback', removing: 'API',
};

const fromSession = 'dispatcher: the role from the certificate of the session, the description from what the agent says';

const node: Writers<Node> & { readonly 'the record itself': string } = {
  'the record itself': 'made by the join plane (`openJoinPlane`), deleted by the API, which puts the id on the block list in the same commit',
  spec: 'API', role: fromSession, description: fromSession, status: fromSession, advertiseAddress: 'join plane, once',
  bridgeSubnet: 'allocator', bridgeProblem: 'allocator',
};

const revision: Writers<Revision> & { readonly 'the record itself': string } = {
  'the record itself': 'made by the API, never changed, deleted by the reaper when no task and no service names it',
  serviceId: 'API, once', template: 'API, once', ports: 'API, once',
};

const cluster: Writers<Cluster> & { readonly 'the record itself': string } = {
  'the record itself': 'made by `orch init` (`foundCluster`)', spec: 'API', ca: '`foundCluster`, once', joinTokens: 'API',
};

/** Who writes each field of each stored kind; a field that is added to the model and not here does not compile. */
export const fieldWriters: Readonly<Record<string, Readonly<Record<string, string>>>> = { task, service, node, revision, cluster };
