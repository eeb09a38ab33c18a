import type { Agent, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Clock } from '../../base/clock.ts';

// An import of the module would make all its exports, WebSocket among them: 15 MB that the daemon would keep.
const { Agent: HttpAgent, request: requestHttp } = process.getBuiltinModule('node:http');

export type HttpRequest = {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes it a POST of a form. */
  readonly form?: URLSearchParams;
  readonly signal?: AbortSignal | undefined;
};

export type HttpResponse = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from at last; other than the request's after redirects. */
  readonly url: URL;
  /** Must be read to its end, left early or drained: until then the connection is taken. Throws when the connection breaks or stands still. */
  readonly body: AsyncIterable<Buffer>;
};

export type TlsIdentity = { readonly ca?: readonly string[]; readonly cert?: string; readonly key?: string };

export type HttpClientOptions = {
  readonly clock: Clock;
  /** Longest time without an answer or a byte of one. */
  readonly timeoutMs: number;
  /** True to take any certificate and to go on from https to http when a redirect says so. */
  readonly insecure: boolean;
  readonly tls?: TlsIdentity | undefined;
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as in an environment. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
};

const MAX_REDIRECTS = 5;
const MAX_SOCKETS = 8;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** A connection broken by standing still; `code` as the system's own timeout has it. */
class StalledError extends Error {
  readonly code = 'ETIMEDOUT';
}

/** HTTP and HTTPS with time limits and redirects, over connections that are kept until it is disposed. */
export class HttpClient implements Disposable {
  readonly #options: HttpClientOptions;
  readonly #http: Agent;
  readonly #https: HttpsAgent;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    const shared = { keepAlive: true, maxSockets: MAX_SOCKETS, ...(options.proxyEnv && { proxyEnv: { ...options.proxyEnv } }) };
    const { ca, cert, key } = options.tls ?? {};
    this.#http = new HttpAgent(shared);
    this.#https = new HttpsAgent({ ...shared, rejectUnauthorized: !options.insecure, ...(ca && { ca: [...ca] }), ...(cert && { cert }), ...(key && { key }) });
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** Sends a request and follows redirects; the authorization header goes to the first host only. Rejects with system errors, StalledError, or the signal's reason. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    let current = request;
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#exchange(current);
      const location = redirectStatuses.has(response.status) ? response.headers.location : undefined;
      if (location === undefined) return response;
      await drain(response.body);
      if (redirects === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
      current = { ...current, ...this.#redirected(current, location) };
    }
  }

  #redirected(request: HttpRequest, location: string): { url: URL; headers: Readonly<Record<string, string>> } {
    const url = new URL(location, request.url);
    const downgraded = request.url.protocol === 'https:' && url.protocol !== 'https:' && !this.#options.insecure;
    if (downgraded || !['http:', 'https:'].includes(url.protocol)) throw new Error(`a redirect to ${url.protocol}//${url.host}, which is not safe`);
    if (url.origin === request.url.origin) return { url, headers: request.headers ?? {} };
    return { url, headers: Object.fromEntries(Object.entries(request.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'authorization')) };
  }

  async #exchange({ url, headers, form, signal }: HttpRequest): Promise<HttpResponse> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const body = form?.toString();
    const options: RequestOptions = {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'user-agent': 'orch', 'accept-encoding': 'identity', ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(Buffer.byteLength(body)) }),
      },
    };
    const sent = url.protocol === 'https:' ? requestHttps(url, { ...options, agent: this.#https }, resolve) : requestHttp(url, { ...options, agent: this.#http }, resolve);
    sent.on('error', reject);
    let cut = (reason: Error): void => { sent.destroy(reason); };
    const abort = (): void => cut(asError(signal?.reason));
    signal?.addEventListener('abort', abort, { once: true });
    const watchdog = new Watchdog(this.#options, () => cut(new StalledError(`no answer from ${url.host} for ${this.#options.timeoutMs} ms`)));
    const finish = (): void => {
      watchdog[Symbol.dispose]();
      signal?.removeEventListener('abort', abort);
    };
    sent.end(body);
    try {
      const message = await promise;
      watchdog.touch();
      cut = (reason) => { message.destroy(reason); };
      return { status: message.statusCode ?? 0, headers: message.headers, url, body: readBody(message, watchdog, finish) };
    } catch (error) {
      finish();
      signal?.throwIfAborted();
      throw error;
    }
  }
}

/** Reads and forgets a body, so that its connection can be used again. */
export async function drain(body: AsyncIterable<Buffer>): Promise<void> {
  for await (const _chunk of body) continue;
}

async function* readBody(message: IncomingMessage, watchdog: Watchdog, finish: () => void): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of message) {
      watchdog.touch();
      yield asBuffer(chunk);
    }
  } finally {
    finish();
  }
}

/** Calls `onStall` when nothing has touched it for the time limit. */
class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #stop = new AbortController();
  #touchedAtMs: number;

  constructor({ clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number }, onStall: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#touchedAtMs = clock.monotonic();
    this.#watch().then((stalled) => { if (stalled) onStall(); }, () => { /* disposed */ });
  }

  touch(): void {
    this.#touchedAtMs = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #watch(): Promise<boolean> {
    for (;;) {
      const leftMs = this.#touchedAtMs + this.#timeoutMs - this.#clock.monotonic();
      if (leftMs <= 0) return true;
      await this.#clock.sleep(leftMs, this.#stop.signal);
    }
  }
}

const asError = (reason: unknown): Error => reason instanceof Error ? reason : new Error(String(reason));

const asBuffer = (chunk: unknown): Buffer => Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
