import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeEngine } from '../api/node-engine.ts';
import type { Clock } from '../base/clock.ts';
import { readTextIfExists, writeFileAtomic } from '../base/files.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { ORCH_VERSION } from '../base/version.ts';
import type { Random } from '../base/random.ts';
import { describeNode } from '../agent/node-description.ts';
import type { NodeDescription } from '../model/node.ts';
import { openNodeNetwork } from '../network/open-node-network.ts';
import type { NodeNetwork } from '../network/node-network.ts';
import { openContainerEngine } from '../runtime/containers/open-container-engine.ts';
import type { ContainerEngine } from '../runtime/engine.ts';
import type { ImageStore } from '../runtime/image-store.ts';
import { openImageStore } from '../runtime/images/open-image-store.ts';
import { findShimBinary } from '../runtime/shim-binary.ts';
import { ShimClient } from '../runtime/shim-client.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { probeFeatures } from './node-features.ts';

/** What every part of a daemon is given. */
export type Surroundings = { readonly clock: Clock; readonly random: Random; readonly log: Log };

/** The node's own half: it works with or without a cluster. */
export type LocalEngine = {
  /** Made once per data directory; names the cgroups, so that several daemons can live on one host. */
  readonly engineId: string;
  readonly images: ImageStore;
  readonly containers: ContainerEngine;
  readonly network: NodeNetwork;
  readonly describe: () => NodeDescription;
  /** For the API. */
  readonly api: NodeEngine;
};

/** Opens shim, images, containers and network, and re-adopts what runs; all of it closes with `scope`. */
export async function openEngine(options: DaemonOptions, surroundings: Surroundings, scope: AsyncDisposableStack): Promise<LocalEngine> {
  const { clock, random, log } = surroundings;
  const { dataDir, runDir } = options;
  const engineId = await loadEngineId(dataDir, random);
  await mkdir(runDir, { recursive: true });
  const describe = (): NodeDescription => describeNode({
    engineVersion: ORCH_VERSION, engineLabels: options.engineLabels,
    ...(options.nanoCpus === undefined ? {} : { nanoCpus: options.nanoCpus }), ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
  });
  const shim = scope.use(await ShimClient.open({ binary: await findShimBinary(), socket: join(runDir, 'shim.sock'), clock }));
  const [images, network, features] = await Promise.all([
    openImageStore({
      dataDir: join(dataDir, 'images'), platform: describe().platform, clock, random, log,
      registry: { insecureRegistries: options.insecureRegistries, proxyEnv: process.env, certificatesDir: '/etc/orch/certs.d' },
    }),
    openNodeNetwork({ runDir, runner: shim, clock, log }),
    probeFeatures(shim, options.runtime ?? 'runc'),
  ]);
  scope.use(images);
  scope.use(network);
  const containers = scope.use(await openContainerEngine({ dataDir, runDir, nodeId: engineId, images, shim, clock, log, ...(options.runtime === undefined ? {} : { runtime: options.runtime }) }));
  return { engineId, images, containers, network, describe, api: { images, containers, attachments: () => network.attachments(), description: describe, features: () => features, dataDir } };
}

async function loadEngineId(dataDir: string, random: Random): Promise<string> {
  const path = join(dataDir, 'engine-id');
  const known = (await readTextIfExists(path))?.trim();
  if (known !== undefined && known !== '') return known;
  const made = newId(random);
  await writeFileAtomic(path, `${made}\n`, 0o644);
  return made;
}
