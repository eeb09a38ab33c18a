import { clusterUpdate, init, join, leave, token } from './cluster/membership.ts';
import { nodeDemote, nodeInspect, nodeList, nodePromote, nodeRemove, nodeUpdate } from './cluster/nodes.ts';
import type { AnyCommand } from './command.ts';
import { imageHistory, imageImport, imageInspect, imageList, imageLoad, imagePull, imageRemove, imageTag, images, pull, rmi } from './image/images.ts';
import { serviceInspect, serviceRemove, serviceRollback, serviceScale } from './service/change.ts';
import { serviceCreate } from './service/create.ts';
import { serviceList } from './service/list.ts';
import { serviceLogs } from './service/logs.ts';
import { nodePs, servicePs } from './service/task-list.ts';
import { serviceUpdate } from './service/update.ts';
import { inspect, logs, ps } from './system/containers.ts';
import { events, info, version } from './system/system.ts';

/** Every command that speaks to a daemon. */
export const commands: readonly AnyCommand[] = [
  init, join, leave, token, clusterUpdate,
  nodeList, nodeInspect, nodePs, nodeUpdate, nodePromote, nodeDemote, nodeRemove,
  serviceCreate, serviceList, servicePs, serviceInspect, serviceLogs, serviceScale, serviceUpdate, serviceRollback, serviceRemove,
  imageList, imageInspect, imagePull, imageLoad, imageImport, imageTag, imageRemove, imageHistory, images, pull, rmi,
  ps, logs, inspect, info, version, events,
];
