import { OrchError } from '../../model/errors.ts';
import { dockerSwarm, readClusterSpec, readSwarmInit, readSwarmJoin } from '../convert/cluster.ts';
import { requireControl } from '../require-control.ts';
import type { ApiRoute } from '../route.ts';

export const swarmRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/swarm', answer: async ({ membership }) => dockerSwarm(requireControl(membership).cluster()) },
  { method: 'POST', path: '/swarm/init', answer: async ({ membership }, call) => membership.init(readSwarmInit(await call.body())) },
  {
    method: 'POST', path: '/swarm/join',
    async answer({ membership }, call) { await membership.join(readSwarmJoin(await call.body())); },
  },
  {
    method: 'POST', path: '/swarm/leave',
    async answer({ membership }, call) { await membership.leave({ force: call.query.flag('force') }); },
  },
  {
    method: 'POST', path: '/swarm/update',
    async answer({ membership }, call) {
      const control = requireControl(membership);
      if (call.query.flag('rotateManagerUnlockKey')) throw new OrchError('ORCH_UNSUPPORTED', 'orch does not support locked managers, so there is no unlock key to rotate');
      const version = call.query.version();
      const changes = readClusterSpec(await call.body());
      await control.updateCluster(version, { ...control.cluster().spec, ...changes }, { workerToken: call.query.flag('rotateWorkerToken'), managerToken: call.query.flag('rotateManagerToken') });
    },
  },
];
