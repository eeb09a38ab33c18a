import type { Clock } from '../../base/clock.ts';
import { OrchError } from '../../model/errors.ts';
import type { RegistryAuth } from '../../model/image-pull.ts';
import { parseChallenges } from './auth-challenge.ts';
import type { AuthChallenge } from './auth-challenge.ts';
import type { HttpClient, HttpResponse } from './http-client.ts';
import { connectionFailure, statusFailure } from './registry-failure.ts';
import type { Asked } from './registry-failure.ts';

type Options = {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly auth: RegistryAuth | undefined;
  /** Asked for when the challenge names no scope. */
  readonly scope: string;
  readonly asked: Asked;
  /** True when credentials may go over plain HTTP. */
  readonly insecure: boolean;
};

const CLIENT_ID = 'orch';
const MAX_TOKEN_BYTES = 1024 * 1024;
/** By the protocol, when the answer does not say. */
const DEFAULT_TOKEN_SECONDS = 60;
/** A token is not used in its last seconds. */
const EXPIRY_MARGIN_MS = 5_000;

/** Answers a registry's challenges: password or bearer token (docs.docker.com/registry/spec/auth). Keeps the token while it is good. */
export class Authorizer {
  readonly #options: Options;
  #header: string | undefined;
  #expiresAtMs = Number.POSITIVE_INFINITY;
  #pending: Promise<boolean> | undefined;

  constructor(options: Options) { this.#options = options; }

  /** The Authorization header to send; undefined before the first challenge and after the token's end. */
  header(): string | undefined {
    return this.#options.clock.now() < this.#expiresAtMs ? this.#header : undefined;
  }

  /** Gets what `challenge`, a WWW-Authenticate header, asks for; false when there is no way. `used` was refused. Requests that are refused at the same time share one token. Throws ORCH_UNAUTHORIZED when the token is refused. */
  async answer(challenge: string, used: string | undefined): Promise<boolean> {
    if (this.header() !== undefined && this.header() !== used) return true; // another request has got a new one meanwhile
    this.#pending ??= this.#answer(parseChallenges(challenge)).finally(() => { this.#pending = undefined; });
    return await this.#pending;
  }

  async #answer(challenges: readonly AuthChallenge[]): Promise<boolean> {
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) return await this.#fetchToken(bearer);
    const basic = challenges.some(({ scheme }) => scheme === 'basic') ? basicHeader(this.#options.auth) : undefined;
    if (basic === undefined || basic === this.#header) return false;
    this.#header = basic;
    return true;
  }

  async #fetchToken({ parameters }: AuthChallenge): Promise<boolean> {
    const { http, auth, asked, scope, clock } = this.#options;
    const realm = this.#realm(parameters.get('realm') ?? '');
    const query = new URLSearchParams({ service: parameters.get('service') ?? asked.host, scope: parameters.get('scope') ?? scope });
    const response = await this.#ask(async () => {
      if (auth !== undefined && 'identityToken' in auth) {
        return await http.send({ url: realm, form: new URLSearchParams([...query, ['grant_type', 'refresh_token'], ['client_id', CLIENT_ID], ['refresh_token', auth.identityToken]]) });
      }
      if (auth !== undefined) query.set('account', auth.username);
      for (const [name, value] of query) realm.searchParams.append(name, value);
      const authorization = basicHeader(auth);
      return await http.send({ url: realm, ...(authorization && { headers: { authorization } }) });
    });
    if (response.status !== 200) throw await statusFailure(response, asked, clock.now());
    const { token, seconds } = parseToken(await readLimited(response), asked);
    this.#header = `Bearer ${token}`;
    this.#expiresAtMs = clock.now() + Math.max(0, seconds * 1000 - EXPIRY_MARGIN_MS);
    return true;
  }

  #realm(text: string): URL {
    const { asked, insecure, auth } = this.#options;
    const url = URL.parse(text);
    if (url === null) throw new OrchError('ORCH_REGISTRY', `Registry ${asked.host} asks to log in at "${text}", which is no address`);
    if (url.protocol !== 'https:' && auth !== undefined && !insecure) {
      throw new OrchError('ORCH_REGISTRY', `Registry ${asked.host} asks to send the password to ${url.host} without encryption`);
    }
    return url;
  }

  async #ask(send: () => Promise<HttpResponse>): Promise<HttpResponse> {
    try {
      return await send();
    } catch (error) {
      throw connectionFailure(error, this.#options.asked);
    }
  }
}

const basicHeader = (auth: RegistryAuth | undefined): string | undefined =>
  auth === undefined || 'identityToken' in auth ? undefined : `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;

async function readLimited({ body }: HttpResponse): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_TOKEN_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseToken(text: string, { host }: Asked): { token: string; seconds: number } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OrchError('ORCH_REGISTRY', `Registry ${host} answers the login with something that is not JSON`, { cause: error });
  }
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const token = fields['token'] ?? fields['access_token'];
  if (typeof token !== 'string' || token === '' || /[\r\n]/.test(token)) throw new OrchError('ORCH_REGISTRY', `Registry ${host} answers the login without a token`);
  const seconds = fields['expires_in'];
  return { token, seconds: typeof seconds === 'number' && seconds > 0 ? Math.max(seconds, DEFAULT_TOKEN_SECONDS) : DEFAULT_TOKEN_SECONDS };
}
