import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { Client, connectivityState, credentials, Metadata } from '@grpc/grpc-js';
import type { ChannelInterface, ChannelOptions, ClientDuplexStream, ClientWritableStream } from '@grpc/grpc-js';
import { systemClock } from '../base/clock.ts';
import { OrchError } from '../model/errors.ts';
import { explainUnreachable } from './diagnose.ts';
import { DialledSockets } from './dialled-sockets.ts';
import { managerServerName } from './names.ts';
import type { WireMethod } from './services.ts';
import { fromServiceError } from './status.ts';

/** What a channel shows and whom it trusts. */
export type ChannelTrust =
  /** Talks to whoever answers; nothing secret may be sent. For fetching the CA that a join token pins. */
  | { readonly type: 'none' }
  /** The other end must be a manager of this CA; we show nothing. */
  | { readonly type: 'ca'; readonly caPem: string }
  /** Both ends show certificates of this CA. */
  | { readonly type: 'mutual'; readonly caPem: string; readonly keyPem: string; readonly certificatePem: string };

/** A snapshot of all tasks of a node is one message. */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;
/** A ping that is not answered in time ends the connection: how a cut cable is noticed below the messages. */
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;

const channelOptions: ChannelOptions = {
  'grpc.ssl_target_name_override': managerServerName,
  'grpc.default_authority': managerServerName,
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
  'grpc.max_send_message_length': MAX_RECEIVE_BYTES,
  // Connections are never shared: a new certificate must mean a new connection.
  'grpc.use_local_subchannel_pool': 1,
  // The cluster is reached directly, whatever proxy the environment of the daemon names.
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
  'grpc.service_config_disable_resolution': 1,
};

/** TLS settings of the client; TLS 1.3 only. */
function secureContextOf(trust: ChannelTrust): SecureContext {
  const minVersion = 'TLSv1.3';
  switch (trust.type) {
    case 'none': return createSecureContext({ minVersion });
    case 'ca': return createSecureContext({ minVersion, ca: trust.caPem });
    case 'mutual': return createSecureContext({ minVersion, ca: trust.caPem, key: trust.keyPem, cert: trust.certificatePem });
  }
}

type UnaryCall = { readonly method: WireMethod; readonly request: Buffer; readonly timeoutMs: number };

/** One connection to one manager. Calls reject with OrchErrors: the manager's own, or ORCH_UNREACHABLE and its like. */
export type ManagerChannel = Disposable & {
  /** HOST:PORT. */
  readonly address: string;
  /** Resolves once connected and verified. Rejects with what is wrong: ORCH_UNREACHABLE (also after `timeoutMs`, and when aborted), ORCH_UNAUTHORIZED, ORCH_CLOCK_SKEW. */
  ready(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** One request, one answer; rejects with ORCH_TIMEOUT after `timeoutMs`. */
  call(call: UnaryCall): Promise<Buffer>;
  openStream(method: WireMethod): ClientDuplexStream<Buffer, Buffer>;
  /** Streams requests; `answered` resolves with the one answer. */
  openUpload(method: WireMethod): { stream: ClientWritableStream<Buffer>; answered: Promise<Buffer> };
  /** Calls that run go on to their end; then the connection closes. */
  [Symbol.dispose](): void;
};

/** Opens a channel to `address` (HOST:PORT); it connects with the first call. */
export function openChannel(address: string, trust: ChannelTrust): ManagerChannel {
  const verify = trust.type === 'none' ? { rejectUnauthorized: false, checkServerIdentity: () => undefined } : {};
  const secureContext = secureContextOf(trust);
  const client = new Client(address, credentials.createFromSecureContext(secureContext, verify), channelOptions);
  const connection: Connection = { client, address, secureContext };
  return {
    address,
    ready: (timeoutMs, signal) => whenReady(connection, { timeoutMs, signal }),
    call: (call) => callOnce(connection, call),
    openStream: (method) => client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, new Metadata()),
    openUpload: (method) => openUpload(connection, method),
    [Symbol.dispose]: () => client.close(),
  };
}

type Connection = { readonly client: Client; readonly address: string; readonly secureContext: SecureContext };

/**
 * Waits until the channel is connected; closes it when it is not. gRPC would try again without end; the first failure is enough to ask why.
 * What it was still dialling is hung up here: gRPC leaves that to the system, and this process would last for minutes longer.
 */
async function whenReady(connection: Connection, wait: { timeoutMs: number; signal: AbortSignal | undefined }): Promise<void> {
  const { client, address, secureContext } = connection;
  const { signal } = wait;
  const dialled = new DialledSockets();
  const hangUp = (): void => {
    client.close();
    dialled.hangUp();
  };
  if (signal?.aborted) throw givenUp(address);
  signal?.addEventListener('abort', hangUp, { once: true });
  try {
    if (await dialled.during(() => connects(client.getChannel(), deadlineIn(wait.timeoutMs)))) return;
    hangUp();
    const reason = await explainUnreachable(address, secureContext, signal);
    throw signal?.aborted ? givenUp(address) : reason;
  } finally {
    signal?.removeEventListener('abort', hangUp);
  }
}

/** True once connected; false after the first failure, when closed, and at the deadline. */
async function connects(channel: ChannelInterface, deadline: number): Promise<boolean> {
  for (let state = channel.getConnectivityState(true); state !== connectivityState.READY; state = channel.getConnectivityState(true)) {
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return false;
    if (!await stateChange(channel, state, deadline)) return false;
  }
  return true;
}

const givenUp = (address: string): OrchError => new OrchError('ORCH_UNREACHABLE', `Connecting to manager ${address} was given up`, { details: { address } });

/** False when nothing changed before the deadline. */
function stateChange(channel: ChannelInterface, from: connectivityState, deadline: number): Promise<boolean> {
  return new Promise((resolve) => { channel.watchConnectivityState(from, deadline, (error) => resolve(error === undefined)); });
}

/** gRPC counts deadlines on the machine's own clock. */
const deadlineIn = (timeoutMs: number): number => systemClock.now() + timeoutMs;

function callOnce({ client, address }: Connection, call: UnaryCall): Promise<Buffer> {
  const { method, request, timeoutMs } = call;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(method.path, method.requestSerialize, method.responseDeserialize, request, { deadline: deadlineIn(timeoutMs) }, (error, answer) => {
      if (answer) resolve(answer);
      else reject(fromServiceError(error, address));
    });
  });
}

function openUpload({ client, address }: Connection, method: WireMethod): { stream: ClientWritableStream<Buffer>; answered: Promise<Buffer> } {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const stream = client.makeClientStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, (error, answer) => {
    if (answer) resolve(answer);
    else reject(fromServiceError(error, address));
  });
  return { stream, answered: promise };
}
