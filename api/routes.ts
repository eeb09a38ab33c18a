import type { ApiRoute } from './route.ts';
import { containerRoutes } from './routes/containers.ts';
import { eventRoutes } from './routes/events.ts';
import { imageCreateRoutes } from './routes/image-create.ts';
import { imageRoutes } from './routes/images.ts';
import { logRoutes } from './routes/logs.ts';
import { nodeRoutes } from './routes/nodes.ts';
import { serviceRoutes } from './routes/services.ts';
import { swarmRoutes } from './routes/swarm.ts';
import { systemRoutes } from './routes/system.ts';
import { taskRoutes } from './routes/tasks.ts';

/** Every endpoint that orch has. */
export const apiRoutes: readonly ApiRoute[] = [
  ...systemRoutes, ...eventRoutes, ...swarmRoutes, ...nodeRoutes, ...serviceRoutes, ...taskRoutes, ...logRoutes, ...containerRoutes, ...imageRoutes, ...imageCreateRoutes,
];
