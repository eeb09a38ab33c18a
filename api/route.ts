import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { ApiVersion } from './api-version.ts';
import type { Membership } from './control-plane.ts';
import type { EventHub } from './event-hub.ts';
import type { NodeEngine } from './node-engine.ts';
import type { Query } from './query.ts';

/** What every route may use. */
export type ApiContext = {
  readonly membership: Membership;
  readonly engine: NodeEngine;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** Of orch itself, `0.1.0`. */
  readonly version: string;
  readonly events: EventHub;
};

/** One request. */
export type Call = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly apiVersion: ApiVersion;
  /** Aborted when the client goes away, when the answer is sent, and when the API closes. */
  readonly signal: AbortSignal;
  /** The JSON body; undefined when it is empty. Throws ORCH_INVALID. */
  body(): Promise<unknown>;
};

/** One endpoint. A returned value is sent as JSON; undefined sends an empty body, unless the route has sent or taken over the reply. */
export type ApiRoute = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** As Docker writes it; `{name}` may hold slashes. */
  readonly path: string;
  answer(context: ApiContext, call: Call): Promise<unknown>;
};

/** The path parameter that the route's own path names. */
export const param = (call: Call, name: string): string => call.params[name] ?? '';
