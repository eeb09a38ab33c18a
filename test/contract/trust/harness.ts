import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeKey } from '../../../agent/identity/node-key.ts';
import { joinCluster } from '../../../agent/identity/join-cluster.ts';
import type { JoinClusterOptions } from '../../../agent/identity/join-cluster.ts';
import { parseIdentity } from '../../../agent/identity/identity.ts';
import type { Identity } from '../../../agent/identity/identity.ts';
import { systemClock } from '../../../base/clock.ts';
import type { Clock } from '../../../base/clock.ts';
import { silentLog } from '../../../base/log.ts';
import { systemRandom } from '../../../base/random.ts';
import type { CertificateAuthority } from '../../../manager/ca/certificate-authority.ts';
import { foundCluster } from '../../../manager/ca/found-cluster.ts';
import { openJoinPlane } from '../../../manager/ca/join-plane.ts';
import { openRenewal } from '../../../manager/ca/renewal.ts';
import { startNodeServer } from '../../../manager/node-server.ts';
import type { NodeServer } from '../../../manager/node-server.ts';
import type { Cluster } from '../../../model/cluster.ts';
import { OrchError } from '../../../model/errors.ts';
import type { LogRecord } from '../../../model/log-record.ts';
import type { AgentMessage, JoinPlane, ManagerMessage, NodePlane, Peer, SessionChannel } from '../../../proto/session-messages.ts';
import type { Store } from '../../../store/store.ts';
import { openMemoryStore } from '../../../store/testing.ts';

/** One session as the manager saw it. */
export type SeenSession = { readonly peer: Peer; readonly channel: SessionChannel; readonly messages: AgentMessage[]; /** Set once it has ended; `undefined` inside for an end in order. */ end?: { readonly error: Error | undefined } };

/** A plane that welcomes every session, answers heartbeats, and remembers everything. */
export class RecordingPlane implements NodePlane {
  readonly sessions: SeenSession[] = [];
  readonly logs: LogRecord[] = [];
  heartbeatPeriodMs = 200;
  answersHeartbeats = true;
  managers: readonly string[] = [];
  /** Refuses sessions with this error while set. */
  refusal: OrchError | undefined;
  /** Takes the records of a log. */
  receive = async (records: AsyncIterable<LogRecord>): Promise<void> => { for await (const record of records) this.logs.push(record); };
  readonly renewCertificate: NodePlane['renewCertificate'];

  constructor(renew: NodePlane['renewCertificate']) { this.renewCertificate = renew; }

  openSession(peer: Peer, channel: SessionChannel): ReturnType<NodePlane['openSession']> {
    if (this.refusal) throw this.refusal;
    const session: SeenSession = { peer, channel, messages: [] };
    this.sessions.push(session);
    return {
      receive: (message) => {
        session.messages.push(message);
        if (message.type === 'hello') channel.send(this.#welcome(peer));
        if (message.type === 'heartbeat' && this.answersHeartbeats) channel.send({ type: 'heartbeat-ack', heartbeatPeriodMs: this.heartbeatPeriodMs });
        if (message.type === 'status') channel.send({ type: 'status-accepted', sequence: message.sequence });
      },
      closed: (error) => { session.end = { error }; },
    };
  }

  receiveLogs(_peer: Peer, subscriptionId: string, records: AsyncIterable<LogRecord>): Promise<void> {
    if (subscriptionId === 'unknown') return Promise.reject(new OrchError('ORCH_NOT_FOUND', 'Log subscription unknown does not exist'));
    return this.receive(records);
  }

  #welcome(peer: Peer): ManagerMessage {
    return { type: 'welcome', nodeId: peer.nodeId, heartbeatPeriodMs: this.heartbeatPeriodMs, managers: this.managers, bridgeSubnet: '', clusterId: peer.clusterId };
  }
}

export type TestManager = AsyncDisposable & {
  readonly store: Store;
  readonly cluster: Cluster;
  readonly ca: CertificateAuthority;
  readonly plane: RecordingPlane;
  readonly joinPlane: JoinPlane;
  readonly server: NodeServer;
  readonly identity: Identity;
  /** Where this manager and its nodes keep their files; gone afterwards. */
  readonly folder: string;
  /** Joins a node with the token of a role (or the one given). */
  join(options?: Partial<JoinClusterOptions> & { as?: 'worker' | 'manager' }): Promise<Identity>;
  /** One more server before the same planes. */
  startAnother(): Promise<NodeServer>;
  /** A certificate of this cluster's CA, without asking anybody. */
  issue(order: { nodeId: string; role: 'worker' | 'manager'; lifeMs?: number }): Promise<Identity>;
};

export type TestManagerOptions = { readonly clock?: Clock; readonly joinPlane?: (real: JoinPlane) => JoinPlane };

/** A cluster of one manager on loopback: real store in memory, real CA, real TLS, a recording plane. */
export async function startTestManager({ clock = systemClock, joinPlane: wrap = (real) => real }: TestManagerOptions = {}): Promise<TestManager> {
  const folder = await mkdtemp(join(tmpdir(), 'orch-trust-'));
  const random = systemRandom;
  const store = await openMemoryStore(clock);
  const key = await createNodeKey();
  const node = { availability: 'active', hostname: 'm1', advertiseAddress: '', remoteAddress: '' };
  const { cluster, ca, certificatePem } = await foundCluster({ store, dataKey: random.bytes(32), csrPem: key.csrPem, node, spec: {}, clock, random });
  const identity = parseIdentity({ keyPem: key.keyPem, certificatePem, caPem: ca.certificatePem });
  const plane = new RecordingPlane(openRenewal({ store, ca }));
  const joinPlane = wrap(openJoinPlane({ store, ca, clock, random, acceptManagers: true }));
  const server = await startNodeServer({ nodePlane: plane, joinPlane, clusterId: cluster.id, identity, listenAddress: '127.0.0.1:0', clock, log: silentLog });
  let nodes = 0;
  const others: NodeServer[] = [];
  return {
    store, cluster, ca, plane, joinPlane, server, identity, folder,
    join: ({ as = 'worker', ...options } = {}) => joinCluster({
      token: cluster.joinTokens[as], addresses: [server.address], hostname: 'w1', availability: 'active', advertiseAddress: '', pkiDir: join(folder, `pki-${nodes += 1}`), clock, ...options,
    }),
    async issue({ nodeId, role, lifeMs = 3_600_000 }) {
      const { keyPem, csrPem } = await createNodeKey();
      return parseIdentity({ keyPem, certificatePem: ca.issue({ csrPem, nodeId, role, lifeMs }), caPem: ca.certificatePem });
    },
    async startAnother() {
      const another = await startNodeServer({ nodePlane: plane, joinPlane, clusterId: cluster.id, identity, listenAddress: '127.0.0.1:0', clock, log: silentLog });
      others.push(another);
      return another;
    },
    async [Symbol.asyncDispose]() {
      for (const another of others) await another[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Polls until `holds` returns a value that is not undefined or false. */
export async function eventually<T>(holds: () => T | undefined | false, what = 'condition'): Promise<T> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const value = holds();
    if (value !== undefined && value !== false) return value;
    await systemClock.sleep(10);
  }
  throw new Error(`${what} never held`);
}
