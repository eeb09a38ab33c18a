import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { Random } from '../base/random.ts';
import { OrchError, errorMessage, isOrchError } from '../model/errors.ts';
import { MAX_API_VERSION, formatApiVersion, requireApiVersion, splitApiVersion } from './api-version.ts';
import type { ApiVersion } from './api-version.ts';
import type { Membership } from './control-plane.ts';
import { findDockerEndpoint, pathPattern } from './docker-endpoints.ts';
import { errorBody } from './error-reply.ts';
import { EventHub } from './event-hub.ts';
import { containerEvent } from './convert/event.ts';
import { listenUnix } from './listen-unix.ts';
import type { NodeEngine } from './node-engine.ts';
import { Query } from './query.ts';
import { readJsonBody } from './request-body.ts';
import type { ApiContext, ApiRoute, Call } from './route.ts';
import { apiRoutes } from './routes.ts';

export type ApiOptions = {
  readonly membership: Membership;
  readonly engine: NodeEngine;
  readonly clock: Clock;
  readonly log: Log;
  /** Names services that were given none. Default: the system's. */
  readonly random?: Random;
  /** Of orch itself, `0.1.0`. */
  readonly version: string;
};

/** The HTTP API of one node. Disposing ends every connection and stream. */
export interface Api extends AsyncDisposable {
  /** Serves on a unix socket of mode 0660, in place of a stale one. Throws ORCH_IN_USE when a daemon answers there. */
  listenUnix(path: string): Promise<void>;
  /** One request without a socket, for tests. */
  inject(request: InjectOptions | string): Promise<LightMyRequestResponse>;
}

/** Makes the API of this node; it serves nothing until it listens. */
export async function openApi(options: ApiOptions): Promise<Api> {
  const events = new EventHub({ clock: options.clock, log: options.log });
  const subscription = options.engine.containers.subscribe((event) => events.publish(containerEvent(event)));
  const context: ApiContext = { random: systemRandom, ...options, events };
  const stop = new AbortController();
  const app = createServer(context, stop.signal);
  await app.ready();
  return {
    listenUnix: (path) => listenUnix(app.server, path),
    inject: (request) => app.inject(request),
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      stop.abort();
      await events[Symbol.asyncDispose]();
      const closed = app.close();
      app.server.closeAllConnections();
      await closed;
    },
  };
}

/** Versions of the requests under way; the router sees URLs without them. */
type Versions = WeakMap<IncomingMessage, ApiVersion>;

const noSchemas = (): never => { throw new Error('a route has a schema'); };

function createServer(context: ApiContext, stopping: AbortSignal): FastifyInstance {
  const versions: Versions = new WeakMap();
  const app: FastifyInstance = fastify({
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false },
    // No route has schemas; fastify's own compilers would only take memory.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    frameworkErrors(error, _request, reply) { sendBadRequest(error, reply); },
    rewriteUrl(request) {
      const { url, version } = splitApiVersion(request.url ?? '/');
      versions.set(request, version);
      return url;
    },
  });
  // Bodies are read by the routes that have one, as JSON or as a stream of any size.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => { done(null); });
  app.addHook('onRequest', async (request, reply) => {
    const { os } = context.engine.description().platform;
    reply.headers({ 'api-version': formatApiVersion(MAX_API_VERSION), ostype: os, server: `orch/${context.version} (${os})` });
    context.events.attach(context.membership.control());
    requireApiVersion(versions.get(request.raw) ?? MAX_API_VERSION);
  });
  // The request may have made this node a manager.
  app.addHook('onResponse', async () => { context.events.attach(context.membership.control()); });
  app.setErrorHandler((error, request, reply) => sendError(context, error, { request, reply }));
  app.setNotFoundHandler(async (request) => { throw missingEndpoint(request); });
  addRoutes(app, apiRoutes, async (route, request, { reply, params }) => {
    const call = createCall({ request, reply, params, apiVersion: versions.get(request.raw) ?? MAX_API_VERSION, stopping });
    return sendAnswer(reply, await route.answer(context, call));
  });
  return app;
}

type Answer = (route: ApiRoute, request: FastifyRequest, given: { reply: FastifyReply; params: Readonly<Record<string, string>> }) => Promise<unknown>;

/** Names with slashes are beyond the router, which knows wildcards only at the end of a path: those routes share one wildcard and are told apart by their patterns. */
function addRoutes(app: FastifyInstance, routes: readonly ApiRoute[], answer: Answer): void {
  const wildcards = new Map<string, { readonly route: ApiRoute; readonly pattern: RegExp }[]>();
  for (const route of routes) {
    if (route.path.includes('{name}')) {
      const key = `${route.method} ${route.path.slice(0, route.path.indexOf('{name}'))}*`;
      wildcards.set(key, [...wildcards.get(key) ?? [], { route, pattern: pathPattern(route.path) }]);
      continue;
    }
    app.route<{ Params: Record<string, string> }>({
      method: route.method, url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: (request, reply) => answer(route, request, { reply, params: request.params }),
    });
  }
  for (const [key, candidates] of wildcards) {
    const [method = '', url = ''] = key.split(' ');
    app.route<{ Params: Record<string, string> }>({
      method, url,
      async handler(request, reply) {
        const path = url.slice(0, -1) + (request.params['*'] ?? '');
        const found = candidates.find(({ pattern }) => pattern.test(path));
        if (!found) throw missingEndpoint(request);
        return answer(found.route, request, { reply, params: { ...found.pattern.exec(path)?.groups } });
      },
    });
  }
}

type CallOptions = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly params: Readonly<Record<string, string>>; readonly apiVersion: ApiVersion; readonly stopping: AbortSignal };

function createCall({ request, reply, params, apiVersion, stopping }: CallOptions): Call {
  const gone = new AbortController();
  const abort = (): void => gone.abort(new Error('the client went away'));
  stopping.addEventListener('abort', abort, { once: true });
  reply.raw.once('close', () => {
    stopping.removeEventListener('abort', abort);
    abort();
  });
  const query: unknown = request.query;
  return {
    request, reply, params, apiVersion, signal: gone.signal,
    query: new Query(typeof query === 'object' && query !== null ? { ...query } : {}),
    body: () => readJsonBody(request.raw),
  };
}

function sendAnswer(reply: FastifyReply, answer: unknown): unknown {
  if (reply.sent) return reply;
  if (answer === undefined) return reply.send();
  return sendJson(reply, answer);
}

/** As bytes: of text fastify would say its charset, and Docker's CLI knows errors only by the bare type. */
const sendJson = (reply: FastifyReply, body: unknown): FastifyReply => reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));


function missingEndpoint(request: FastifyRequest): OrchError {
  const [path = ''] = request.url.split('?');
  const endpoint = findDockerEndpoint(request.method, path);
  if (endpoint === undefined) return new OrchError('ORCH_NOT_FOUND', 'page not found');
  return new OrchError('ORCH_UNSUPPORTED', `orch does not have Docker's endpoint ${request.method} ${endpoint}`);
}

/** What is wrong with the request before any route sees it, such as a malformed %-escape. */
function sendBadRequest(error: Error, reply: FastifyReply): void {
  const { status, body } = errorBody(new OrchError('ORCH_INVALID', error.message));
  void sendJson(reply.code(status), body);
}

function sendError(context: ApiContext, error: unknown, { request, reply }: { request: FastifyRequest; reply: FastifyReply }): FastifyReply {
  const { status, body } = errorBody(error);
  if (!isOrchError(error)) context.log.error({ method: request.method, url: request.originalUrl, error: error instanceof Error ? error.stack ?? error.message : errorMessage(error) }, 'a request failed unexpectedly');
  return sendJson(reply.code(status), body);
}
