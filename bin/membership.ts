import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openAgent } from '../agent/open-agent.ts';
import { openManagerConnection, type ManagerConnection } from '../agent/connection/manager-connection.ts';
import { loadIdentity, removeIdentity, saveIdentity, type Identity } from '../agent/identity/identity.ts';
import { joinCluster } from '../agent/identity/join-cluster.ts';
import { createNodeKey } from '../agent/identity/node-key.ts';
import { taskLabels } from '../agent/task-names.ts';
import type { ControlPlane, Membership, SwarmInit, SwarmJoin, SwarmState } from '../api/control-plane.ts';
import { ORCH_VERSION } from '../base/version.ts';
import { OrchError, errorMessage } from '../model/errors.ts';
import type { NodeId } from '../model/meta.ts';
import { loadClusterSettings, removeClusterSettings, saveClusterSettings, type ClusterSettings } from './cluster-settings.ts';
import { managerDirOf, pkiDirOf } from './data-dir.ts';
import type { ManagerPart } from './manager-part.ts';
import { chooseAdvertiseAddress, formatAddress, parseAddress } from './node-address.ts';
import type { LocalEngine, Surroundings } from './open-engine.ts';

export type MembershipOptions = {
  readonly dataDir: string;
  readonly engine: LocalEngine;
  readonly surroundings: Surroundings;
  /** A part that the daemon can't do without has failed. */
  readonly onFatal: (error: Error) => void;
};

/** What runs while this node is in a cluster. */
type Running = {
  readonly scope: AsyncDisposableStack;
  readonly settings: ClusterSettings;
  readonly connection: ManagerConnection;
  readonly managerPart: ManagerPart | undefined;
};

const FIRST_SESSION_LIMIT_MS = 20_000;

/** Nodes that are not managers are spared manager, scheduler and store. */
const loadManagerPart = () => import('./manager-part.ts');

/** This node in and out of clusters: what `orch init`, `join` and `leave` do, and what a daemon does when it starts again. One change at a time. */
export class NodeMembership implements Membership, AsyncDisposable {
  readonly #options: MembershipOptions;
  readonly #pkiDir: string;
  #running: Running | undefined;
  #pending = false;
  #error = '';

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#pkiDir = pkiDirOf(options.dataDir);
  }

  /** Takes part again in the cluster that the data directory says this node belongs to. */
  async resume(): Promise<void> {
    const identity = await loadIdentity(this.#pkiDir);
    const settings = await loadClusterSettings(this.#options.dataDir);
    if (identity && settings) await this.#start(identity, settings);
  }

  state(): SwarmState {
    const running = this.#running;
    if (!running) return { localState: this.#pending ? 'pending' : this.#error === '' ? 'inactive' : 'error', error: this.#error, nodeId: '', nodeAddress: '', managers: [] };
    const { identity, managers, state } = running.connection;
    const self = running.managerPart ? [{ nodeId: identity.nodeId, address: running.settings.advertiseAddress }] : managers.map((address) => ({ nodeId: '', address }));
    return {
      localState: state.type === 'removed' ? 'error' : 'active', error: state.type === 'removed' ? errorMessage(state.error) : this.#error,
      nodeId: identity.nodeId, nodeAddress: parseAddress('address', running.settings.advertiseAddress).host, role: identity.role, managers: self,
    };
  }

  control(): ControlPlane | undefined { return this.#running?.managerPart?.manager.control; }

  init(request: SwarmInit): Promise<NodeId> { return this.#change(() => this.#init(request)); }
  join(request: SwarmJoin): Promise<void> { return this.#change(() => this.#join(request)); }

  async leave(options: { force: boolean }): Promise<void> {
    const running = this.#running;
    if (!running) throw new OrchError('ORCH_NOT_MANAGER', 'This node is not part of a cluster');
    if (running.managerPart && !options.force) {
      throw new OrchError('ORCH_IN_USE', 'This node is the last manager: when it leaves, the cluster and all it knows are gone', { hint: 'Use --force if that is what you want' });
    }
    await running.connection.goodbye({ forGood: true });
    await this.#stop();
    await this.#forget();
  }

  /** Says goodbye: this node is away for a restart, and its tasks are given some time before they are run elsewhere. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.connection.goodbye({ forGood: false });
    await this.#stop();
  }

  async #change<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running || this.#pending) {
      throw new OrchError('ORCH_ALREADY_IN_CLUSTER', 'This node is already part of a cluster', { hint: 'Use `orch leave` to leave it first' });
    }
    this.#pending = true;
    try {
      return await work();
    } finally {
      this.#pending = false;
    }
  }

  /** The identity is written last: a daemon that dies before is in no cluster, and what it wrote is overwritten by the next attempt. */
  async #init(request: SwarmInit): Promise<NodeId> {
    if (request.forceNewCluster) throw new OrchError('ORCH_UNSUPPORTED', '--force-new-cluster is not supported: clusters have one manager');
    const { dataDir, surroundings } = this.#options;
    const listen = parseAddress('--listen-addr', request.listenAddress);
    const advertise = formatAddress(await chooseAdvertiseAddress(request.advertiseAddress, listen.port));
    const settings: ClusterSettings = { listenAddress: formatAddress(listen), advertiseAddress: advertise, managers: [advertise] };
    await this.#forget();
    const key = await createNodeKey();
    const { foundInDataDir } = await loadManagerPart();
    const founded = await foundInDataDir({ dataDir, csrPem: key.csrPem, request, advertiseAddress: advertise, onFailure: this.#options.onFatal }, surroundings);
    await saveClusterSettings(dataDir, settings);
    const identity = await saveIdentity(this.#pkiDir, { keyPem: key.keyPem, certificatePem: founded.certificatePem, caPem: founded.ca.certificatePem });
    await this.#startOrForget(identity, settings);
    return identity.nodeId;
  }

  async #join(request: SwarmJoin): Promise<void> {
    const { dataDir, surroundings } = this.#options;
    const advertise = await chooseAdvertiseAddress(request.advertiseAddress, parseAddress('--listen-addr', request.listenAddress).port);
    await this.#forget();
    const settings: ClusterSettings = { listenAddress: request.listenAddress, advertiseAddress: formatAddress(advertise), managers: request.managerAddresses };
    await saveClusterSettings(dataDir, settings);
    const identity = await joinCluster({
      token: request.token, addresses: request.managerAddresses, hostname: hostname(), availability: request.availability, advertiseAddress: advertise.host, pkiDir: this.#pkiDir, clock: surroundings.clock,
    });
    await this.#startOrForget(identity, settings);
    await this.#running?.connection.connected(AbortSignal.timeout(FIRST_SESSION_LIMIT_MS));
  }

  async #startOrForget(identity: Identity, settings: ClusterSettings): Promise<void> {
    try {
      await this.#start(identity, settings);
    } catch (error) {
      await this.#forget();
      throw error;
    }
  }

  async #start(identity: Identity, settings: ClusterSettings): Promise<void> {
    const { dataDir, engine, surroundings } = this.#options;
    const { clock, random, log } = surroundings;
    await using scope = new AsyncDisposableStack();
    const managerPart = identity.role === 'manager' ? scope.use(await this.#startManager(identity, settings)) : undefined;
    const agent = scope.use(openAgent({
      nodeId: identity.nodeId, engine: engine.containers, images: engine.images, network: engine.network, dataDir, clock, log, orchVersion: ORCH_VERSION, describe: engine.describe,
    }));
    const connection = scope.use(await openManagerConnection({
      identity, pkiDir: this.#pkiDir, managers: settings.managers, managersFile: join(dataDir, 'managers.json'), agent, clock, random, log,
      onIdentity: (renewed) => managerPart?.server.useIdentity(renewed),
      onRemoved: (error) => log.error({ error: errorMessage(error) }, 'This node is no longer part of its cluster'),
    }));
    this.#running = { scope: scope.move(), settings, connection, managerPart };
    this.#error = '';
  }

  async #startManager(identity: Identity, settings: ClusterSettings): Promise<ManagerPart> {
    const { dataDir, surroundings, onFatal } = this.#options;
    const { openManagerStore, startManagerPart } = await loadManagerPart();
    const store = await openManagerStore(dataDir, surroundings, onFatal);
    return startManagerPart({ dataDir, identity, listenAddress: settings.listenAddress, store }, surroundings);
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.scope.disposeAsync();
  }

  /** Removes all that belongs to a cluster: identity first, then the tasks' containers, then what manager and agent kept. */
  async #forget(): Promise<void> {
    const { dataDir } = this.#options;
    await removeIdentity(this.#pkiDir);
    await removeClusterSettings(dataDir);
    await this.#removeTasks();
    for (const path of [managerDirOf(dataDir), this.#pkiDir, join(dataDir, 'managers.json'), ...['', '-wal', '-shm'].map((suffix) => join(dataDir, `agent.db${suffix}`))]) {
      await rm(path, { recursive: true, force: true });
    }
  }

  async #removeTasks(): Promise<void> {
    const { containers, network } = this.#options.engine;
    await Promise.all(containers.list().filter((container) => container.create.labels[taskLabels.taskId] !== undefined).map(async ({ id }) => {
      await containers.stop(id);
      await containers.remove(id, { force: true });
      await network.detach(id);
    }));
  }
}
