import { serviceRoutes } from './routes/services.ts';
import { swarmRoutes } from './routes/swarm.ts';
import { systemRoutes } from './routes/system.ts';
import type { ApiRoute } from './route.ts';

/** Every endpoint that orch has. */
export const apiRoutes: readonly ApiRoute[] = [...systemRoutes, ...swarmRoutes, ...serviceRoutes];
