import { Server } from '@grpc/grpc-js';
import type { sendUnaryData, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { isOrchError, OrchError } from '../model/errors.ts';
import type { ClusterId } from '../model/meta.ts';
import { formatHostPort, parseHostPort } from '../proto/address.ts';
import { decodeJoinRequest, encodeCaResponse, encodeJoinResponse } from '../proto/convert/join.ts';
import { decodeRenewalRequest, encodeRenewalResponse } from '../proto/convert/renewal.ts';
import { managerPort } from '../proto/names.ts';
import { RotatingServerCredentials } from '../proto/server-credentials.ts';
import type { ServerIdentity } from '../proto/server-credentials.ts';
import { joinMethods, nodeControlMethods } from '../proto/services.ts';
import type { JoinPlane, NodePlane, Peer } from '../proto/session-messages.ts';
import { toServiceError } from '../proto/status.ts';
import { serveLogUpload } from './node-server/log-upload.ts';
import { identifyPeer, peerAddress } from './node-server/peer.ts';
import type { IdentifiedCall } from './node-server/peer.ts';
import { refuseSession, serveSession } from './node-server/session.ts';
import type { SessionCall } from './node-server/session.ts';

export type NodeServerOptions = {
  readonly nodePlane: NodePlane;
  readonly joinPlane: JoinPlane;
  /** The cluster whose nodes may call. */
  readonly clusterId: ClusterId;
  /** Key, certificate and CA that the server shows and trusts. */
  readonly identity: ServerIdentity;
  /** HOST:PORT; port 0 takes a free one. */
  readonly listenAddress: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** The gRPC server of a manager. Disposing it cuts every connection; sessions hear of it by `closed`. */
export type NodeServer = AsyncDisposable & {
  /** HOST:PORT it listens on. */
  readonly address: string;
  /** Shows a renewed certificate to new connections; open streams go on. */
  useIdentity(identity: ServerIdentity): void;
};

/** Largest message of a node. */
const MAX_RECEIVE_BYTES = 16 * 1024 * 1024;

/** Channelz stays on: without it gRPC's `forceShutdown` knows no connections and ends none. */
const serverOptions = {
  'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
  'grpc.max_send_message_length': -1,
  // Frees the sockets of nodes that vanished; that a node is down is known earlier, from its heartbeats.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/** Serves Join (to anybody) and NodeControl (to nodes with a certificate of the cluster) on one port. Throws ORCH_IN_USE when the address can't be bound. */
export async function startNodeServer(options: NodeServerOptions): Promise<NodeServer> {
  const { host } = parseHostPort(options.listenAddress, managerPort);
  const server = new Server(serverOptions);
  const credentials = new RotatingServerCredentials(options.identity);
  addJoin(server, options);
  addNodeControl(server, options);
  const port = await bind(server, options.listenAddress, credentials);
  return {
    address: formatHostPort({ host, port }),
    useIdentity: (identity) => credentials.use(identity),
    async [Symbol.asyncDispose]() {
      const stopped = new Promise<void>((resolve, reject) => { server.tryShutdown((error) => { if (error) reject(error); else resolve(); }); });
      server.forceShutdown();
      await stopped;
    },
  };
}

function bind(server: Server, address: string, credentials: RotatingServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, port) => {
      if (cause) reject(new OrchError('ORCH_IN_USE', `The manager can't listen on ${address}: ${cause.message}`, { cause, hint: 'Is another program using the port, or is the address not of this host?' }));
      else resolve(port);
    });
  });
}

function addJoin(server: Server, { joinPlane, log }: NodeServerOptions): void {
  server.addService(joinMethods, {
    getCa: unary(log, () => encodeCaResponse(joinPlane.ca())),
    issueCertificate: unary(log, async (call) => {
      const answer = await joinPlane.issueCertificate({ ...decodeJoinRequest(call.request), remoteAddress: peerAddress(call.getPeer()) });
      log.info({ nodeId: answer.nodeId, role: answer.role, address: peerAddress(call.getPeer()) }, 'node joined');
      return encodeJoinResponse(answer);
    }),
  });
}

function addNodeControl(server: Server, { nodePlane, clusterId, clock, log }: NodeServerOptions): void {
  const identify = (call: IdentifiedCall): Peer => identifyPeer(call, { clusterId, nowMs: clock.now() });
  server.addService(nodeControlMethods, {
    session: guardedStream((call) => serveSession(call, identify(call), { nodePlane, log })),
    renewCertificate: unary(log, async (call) => {
      const peer = identify(call);
      return encodeRenewalResponse(await nodePlane.renewCertificate(peer, decodeRenewalRequest(call.request).csrPem));
    }),
    publishLogs: (call: ServerReadableStream<Buffer, Buffer>, respond: sendUnaryData<Buffer>) => {
      answer(log, respond, async () => serveLogUpload(call, identify(call), nodePlane));
    },
  });
}

type UnaryHandler = (call: ServerUnaryCall<Buffer, Buffer>) => Buffer | Promise<Buffer>;

const unary = (log: Log, handler: UnaryHandler) => (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void => answer(log, respond, async () => handler(call));

/** Answers with what `work` returns, or with its error. */
function answer(log: Log, respond: sendUnaryData<Buffer>, work: () => Promise<Buffer>): void {
  work().then((response) => respond(null, response), (error: unknown) => {
    if (!isOrchError(error)) log.error({ err: error }, 'a call of a node failed');
    respond(toServiceError(error));
  });
}

/** What a stream's handler throws ends the stream with that error. */
function guardedStream(serve: (call: SessionCall) => void): (call: SessionCall) => void {
  return (call) => {
    try {
      serve(call);
    } catch (error) {
      refuseSession(call, error);
    }
  };
}
