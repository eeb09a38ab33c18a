import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from '../agent/identity/identity.ts';
import { OrchError } from '../model/errors.ts';
import { openCa } from '../manager/ca/certificate-authority.ts';
import { openJoinPlane } from '../manager/ca/join-plane.ts';
import { openRenewal } from '../manager/ca/renewal.ts';
import { loadDataKey } from '../manager/ca/sealing.ts';
import { startNodeServer, type NodeServer } from '../manager/node-server.ts';
import { openManager, type Manager } from '../manager/open-manager.ts';
import { openStore } from '../store/open-store.ts';
import { openSqliteBackend } from '../store/sqlite-backend.ts';
import type { Store } from '../store/store.ts';
import type { Surroundings } from './open-engine.ts';

/** A running manager of this node. */
export type ManagerPart = AsyncDisposable & { readonly manager: Manager; readonly server: NodeServer };

export const managerDirOf = (dataDir: string): string => join(dataDir, 'manager');
export const pkiDirOf = (dataDir: string): string => join(dataDir, 'pki');

/** Opens the manager's database. `onFailure` is called when it can't go on; the daemon should end then. */
export async function openManagerStore(dataDir: string, { clock }: Surroundings, onFailure: (error: Error) => void): Promise<Store> {
  await mkdir(managerDirOf(dataDir), { recursive: true, mode: 0o700 });
  return openStore({ backend: await openSqliteBackend({ path: join(managerDirOf(dataDir), 'state.db'), clock }), clock, onFailure });
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
  const manager = scope.use(await openManager({ store, clock, random, log, nodeId: identity.nodeId, renewCertificate: openRenewal({ store, ca }) }));
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

