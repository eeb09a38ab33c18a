import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Identity } from '../agent/identity/identity.ts';
import { OrchError } from '../model/errors.ts';
import type { SwarmInit } from '../api/control-plane.ts';
import { openCa } from '../manager/ca/certificate-authority.ts';
import { foundCluster, type FoundedCluster } from '../manager/ca/found-cluster.ts';
import { openJoinPlane } from '../manager/ca/join-plane.ts';
import { openRenewal } from '../manager/ca/renewal.ts';
import { createDataKey, loadDataKey } from '../manager/ca/sealing.ts';
import { startNodeServer, type NodeServer } from '../manager/node-server.ts';
import { openManager, type Manager } from '../manager/open-manager.ts';
import { openStore } from '../store/open-store.ts';
import { openSqliteBackend } from '../store/sqlite-backend.ts';
import type { Store } from '../store/store.ts';
import { managerDirOf, pkiDirOf } from './data-dir.ts';
import type { Surroundings } from './open-engine.ts';

// An agent never loads this file: membership.ts imports it when the node is a manager (2 MB).

/** A running manager of this node. */
export type ManagerPart = AsyncDisposable & { readonly manager: Manager; readonly server: NodeServer };

/** Opens the manager's database. `onFailure` is called when it can't go on; the daemon should end then. */
export async function openManagerStore(dataDir: string, { clock }: Surroundings, onFailure: (error: Error) => void): Promise<Store> {
  await mkdir(managerDirOf(dataDir), { recursive: true, mode: 0o700 });
  return openStore({ backend: await openSqliteBackend({ path: join(managerDirOf(dataDir), 'state.db'), clock }), clock, onFailure });
}

export type FoundingOptions = {
  readonly dataDir: string;
  readonly csrPem: string;
  readonly request: SwarmInit;
  /** HOST:PORT that the other nodes will dial. */
  readonly advertiseAddress: string;
  readonly onFailure: (error: Error) => void;
};

/** Makes the data key and the database of a new cluster, with this node in it. */
export async function foundInDataDir(options: FoundingOptions, surroundings: Surroundings): Promise<FoundedCluster> {
  const { dataDir, csrPem, request, advertiseAddress } = options;
  const { clock, random } = surroundings;
  const dataKey = await createDataKey(pkiDirOf(dataDir), random);
  await using store = await openManagerStore(dataDir, surroundings, options.onFailure);
  return await foundCluster({
    store, dataKey, csrPem, spec: request.spec, clock, random,
    node: { availability: request.availability, hostname: hostname(), advertiseAddress, remoteAddress: '' },
  });
}

export type ManagerPartOptions = {
  readonly dataDir: string;
  readonly identity: Identity;
  readonly listenAddress: string;
  readonly store: Store;
};

/** Starts the manager over a store that holds its cluster; owns the store from then on. */
export async function startManagerPart(options: ManagerPartOptions, surroundings: Surroundings): Promise<ManagerPart> {
  const { dataDir, identity, store } = options;
  const { clock, random, log } = surroundings;
  await using scope = new AsyncDisposableStack();
  scope.use(store);
  const ca = await openClusterCa(dataDir, store, { identity, surroundings });
  const manager = scope.use(await openManager({ store, clock, random, log, nodeId: identity.nodeId, isOnlyManager: true, renewCertificate: openRenewal({ store, ca }) }));
  const server = scope.use(await startNodeServer({
    nodePlane: manager.nodePlane, joinPlane: openJoinPlane({ store, ca, clock, random }), clusterId: identity.clusterId, identity, listenAddress: options.listenAddress, clock, log,
  }));
  const owned = scope.move();
  return { manager, server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openClusterCa(dataDir: string, store: Store, { identity, surroundings }: { identity: Identity; surroundings: Surroundings }): Promise<ReturnType<typeof openCa>> {
  const cluster = store.view((view) => view.cluster.get(identity.clusterId));
  const dataKey = await loadDataKey(pkiDirOf(dataDir));
  if (!cluster || !dataKey) throw new OrchError('ORCH_CORRUPT', `The manager's ${cluster ? 'data key' : 'database'} in ${dataDir} is missing`, { hint: 'Restore the data directory from a backup' });
  return openCa({ clusterId: cluster.id, ca: cluster.ca, dataKey, clock: surroundings.clock, random: surroundings.random });
}

