import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { isErrno } from '../base/files.ts';
import { OrchError, isErrorCode } from '../model/errors.ts';
import type { ErrorDetails } from '../model/errors.ts';
import { demultiplex, textLines } from './streams.ts';
import type { LogFrame } from './streams.ts';

// An import of the module would make all its exports, WebSocket among them: 15 MB and a third of the time that a command takes.
const { request: httpRequest } = process.getBuiltinModule('node:http');

export type ApiRequest = {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Path without version, with query: `/services?status=true`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly upload?: { readonly contentType: string; readonly chunks: AsyncIterable<Uint8Array> };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/** The one way from the command line to a daemon: Docker's API over a unix socket or TCP. */
export interface ApiClient {
  /** Sends a request and reads its JSON answer (undefined when it has none). Throws the server's OrchError, or ORCH_UNREACHABLE. */
  json(request: ApiRequest): Promise<unknown>;
  /** Sends a request and gives its body as it arrives; ends when the signal aborts. */
  stream(request: ApiRequest): AsyncIterable<Uint8Array>;
  /** As `stream`, for log endpoints: what was written, apart by stream; from a terminal, which has but one, line by line. Throws the sentence that the daemon ends with when it can't go on. */
  frames(request: ApiRequest): AsyncIterable<LogFrame>;
}

/** What Docker's API says of a log that is sent as it was written. */
const RAW_STREAM = 'application/vnd.docker.raw-stream';

export type ApiAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

const DEFAULT_PORT = 2375;

/** Reads `unix:///run/orch/orch.sock`, an absolute path, or `tcp://HOST[:PORT]`. Throws ORCH_USAGE. */
export function parseApiAddress(text: string): ApiAddress {
  if (text.startsWith('unix://') && text.length > 'unix://'.length) return { socketPath: text.slice('unix://'.length) };
  if (text.startsWith('/')) return { socketPath: text };
  const tcp = /^(?:tcp|http):\/\/(\[[0-9a-fA-F:]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(text);
  if (tcp?.[1] !== undefined) return { host: tcp[1].replace(/^\[|\]$/g, ''), port: Number(tcp[2] ?? DEFAULT_PORT) };
  throw new OrchError('ORCH_USAGE', `"${text}" is not an address of a daemon`, { hint: 'Write unix:///PATH or tcp://HOST:PORT' });
}

/** A client of the daemon at that address. */
export function openApiClient(address: ApiAddress): ApiClient {
  return {
    async json(request) {
      const response = await send(address, request);
      const chunks: Uint8Array[] = [];
      for await (const chunk of read(response, address, request)) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('utf8');
      return text === '' ? undefined : parseJson(text, request);
    },
    async *stream(request) { yield* read(await send(address, request), address, request); },
    async *frames(request) {
      const response = await send(address, request);
      const chunks = read(response, address, request);
      yield* response.headers['content-type'] === RAW_STREAM ? textLines(chunks) : demultiplex(chunks);
    },
  };
}

/** The body of an answer; ends quietly when the signal aborts, and gives the connection back when its reader leaves. */
async function* read(response: IncomingMessage, address: ApiAddress, request: ApiRequest): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* response;
  } catch (error) {
    if (request.signal?.aborted !== true) throw new OrchError('ORCH_UNREACHABLE', `The orch daemon at ${formatAddress(address)} ended the connection in the middle of its answer`, { cause: error });
  } finally {
    response.destroy();
  }
}

function parseJson(text: string, request: ApiRequest): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OrchError('ORCH_INTERNAL', `The daemon's answer to ${request.path} is not JSON`, { cause: error });
  }
}

async function send(address: ApiAddress, request: ApiRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = httpRequest(requestOptions(address, request));
  outgoing.on('response', resolve);
  outgoing.on('error', (error) => reject(request.signal?.aborted === true ? request.signal.reason : unreachable(address, error)));
  // Both, so that an upload whose source fails is not waited for by a daemon that waits for its end.
  const [response] = await Promise.all([promise, writeBody(outgoing, request)]);
  if ((response.statusCode ?? 0) >= 400) throw await readError(response, request);
  return response;
}

function requestOptions(address: ApiAddress, request: ApiRequest): RequestOptions {
  const contentType = request.upload?.contentType ?? (request.body === undefined ? undefined : 'application/json');
  return {
    ...address, method: request.method ?? 'GET', path: request.path, agent: false,
    headers: { Host: 'orch', ...(contentType === undefined ? {} : { 'Content-Type': contentType }), ...request.headers },
    ...(request.signal ? { signal: request.signal } : {}),
  };
}

async function writeBody(outgoing: ClientRequest, request: ApiRequest): Promise<void> {
  if (!request.upload) {
    outgoing.end(request.body === undefined ? undefined : JSON.stringify(request.body));
    return;
  }
  try {
    for await (const chunk of request.upload.chunks) {
      if (outgoing.destroyed) return; // the answer, or the error, says why
      if (!outgoing.write(chunk)) await drained(outgoing);
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy();
    throw error;
  }
}

/** Resolves when the request takes more, or never will. */
async function drained(outgoing: ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ['drain', 'close', 'error'] as const;
  for (const event of events) outgoing.on(event, resolve);
  await promise;
  for (const event of events) outgoing.off(event, resolve);
}

const formatAddress = (address: ApiAddress): string => 'socketPath' in address ? `unix://${address.socketPath}` : `tcp://${address.host}:${address.port}`;

function unreachable(address: ApiAddress, error: unknown): OrchError {
  const hint = isErrno(error, 'EACCES') ? 'You may not use that socket: try sudo' : 'Is the daemon running? Start it with `orch daemon`, or try a cluster with `orch lab up`';
  return new OrchError('ORCH_UNREACHABLE', `Cannot connect to the orch daemon at ${formatAddress(address)}`, { hint, cause: error });
}

async function readError(response: IncomingMessage, request: ApiRequest): Promise<OrchError> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const body = parseErrorBody(text);
  const code = typeof body['code'] === 'string' && isErrorCode(body['code']) ? body['code'] : 'ORCH_INTERNAL';
  const message = typeof body['message'] === 'string' ? body['message'] : `The daemon answered ${response.statusCode ?? 0} to ${request.path}`;
  return new OrchError(code, message, { hint: typeof body['hint'] === 'string' ? body['hint'] : undefined, details: readDetails(body['details']) });
}

const readDetails = (details: unknown): ErrorDetails => typeof details !== 'object' || details === null ? {}
  : Object.fromEntries(Object.entries(details).filter((entry): entry is [string, string | number] => typeof entry[1] === 'string' || typeof entry[1] === 'number'));

function parseErrorBody(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
