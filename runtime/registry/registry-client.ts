import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { isErrno } from '../../base/files.ts';
import type { Random } from '../../base/random.ts';
import { OrchError } from '../../model/errors.ts';
import type { RegistryAuth } from '../../model/image-pull.ts';
import { formatImageReference } from '../../model/image-reference.ts';
import type { ImageReference } from '../../model/image-reference.ts';
import { Authorizer } from './authorizer.ts';
import { drain, HttpClient } from './http-client.ts';
import type { HttpResponse, TlsIdentity } from './http-client.ts';
import { isInsecureRegistry, registryHost } from './registry-address.ts';
import { connectionFailure, statusFailure, TransientFailure } from './registry-failure.ts';
import type { Asked } from './registry-failure.ts';
import { withRetries } from './retry.ts';
import type { RetryPolicy } from './retry.ts';

/** How to talk to registries; the same for all of them. */
export type RegistryOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** Hosts as they stand in references, or networks such as `10.0.0.0/8`, that may answer by plain HTTP or with any certificate. This machine itself always may. */
  readonly insecureRegistries?: readonly string[];
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as in an environment. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
  /** Longest wait for an answer or for the next byte of one; default 30 s. */
  readonly timeoutMs?: number;
  /** Tries of each request; default 5. */
  readonly attempts?: number;
  /** First delay between tries, doubling; default 500 ms. */
  readonly retryBaseMs?: number;
};

export type FetchedManifest = { readonly digest: string; readonly mediaType: string; readonly text: string };

const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json', 'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
/** The limit that the protocol recommends. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_ATTEMPTS = 5;
const DEFAULT_RETRY_BASE_MS = 500;
/** What a server that speaks no TLS makes of a handshake. */
const noTls = ['EPROTO', 'ECONNRESET', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'];

/** One repository of a registry, by the OCI distribution protocol. Failures name the reference and carry the registry's own words. */
export class RegistryClient implements Disposable {
  readonly #options: RegistryOptions;
  readonly #path: string;
  readonly #asked: Asked;
  readonly #insecure: boolean;
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;
  #origin: Promise<string> | undefined;

  constructor(reference: ImageReference, options: RegistryOptions & { readonly auth?: RegistryAuth | undefined; readonly tls?: TlsIdentity | undefined }) {
    const host = registryHost(reference.domain);
    this.#options = options;
    this.#path = reference.path;
    this.#asked = { host, what: formatImageReference(reference) };
    this.#insecure = isInsecureRegistry(host, options.insecureRegistries ?? []);
    this.#http = new HttpClient({ clock: options.clock, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS, insecure: this.#insecure, tls: options.tls, proxyEnv: options.proxyEnv });
    this.#authorizer = new Authorizer({ http: this.#http, clock: options.clock, auth: options.auth, scope: `repository:${reference.path}:pull`, asked: this.#asked, insecure: this.#insecure });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /** How requests of this client are repeated. */
  retryPolicy(signal?: AbortSignal): RetryPolicy {
    const { clock, random, attempts = DEFAULT_ATTEMPTS, retryBaseMs = DEFAULT_RETRY_BASE_MS } = this.#options;
    return { clock, random, attempts, baseMs: retryBaseMs, signal };
  }

  /** The manifest or index of a tag or digest. Throws ORCH_NOT_FOUND, ORCH_UNAUTHORIZED, ORCH_REGISTRY, and ORCH_CORRUPT when it is not what its digest says. */
  async fetchManifest(tagOrDigest: string, signal?: AbortSignal): Promise<FetchedManifest> {
    return await withRetries(async () => {
      const response = await this.#get(`manifests/${tagOrDigest}`, { accept: MANIFEST_TYPES }, signal);
      if (response.status !== 200) throw await statusFailure(response, this.#asked, this.#options.clock.now());
      const bytes = await this.#readManifest(response);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      const promised = tagOrDigest.startsWith('sha256:') ? tagOrDigest : String(response.headers['docker-content-digest'] ?? digest);
      if (promised.startsWith('sha256:') && promised !== digest) {
        throw new TransientFailure(new OrchError('ORCH_CORRUPT', `Registry ${this.#asked.host} sent a manifest of "${this.#asked.what}" with the digest ${digest} instead of ${promised}`));
      }
      return { digest, mediaType: (response.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '', text: bytes.toString('utf8') };
    }, this.retryPolicy(signal));
  }

  /** One try to open a blob from byte `offset` on; `offset` in the result is where it really begins, 0 when the registry cannot resume. Throws TransientFailure for what may pass. */
  async openBlob(digest: string, offset: number, signal?: AbortSignal): Promise<{ readonly offset: number; readonly body: AsyncIterable<Buffer> }> {
    const response = await this.#get(`blobs/${digest}`, offset === 0 ? {} : { range: `bytes=${offset}-` }, signal);
    if (response.status === 200) return { offset: 0, body: response.body };
    const resumed = response.status === 206 && response.headers['content-range']?.startsWith(`bytes ${offset}-`);
    if (resumed) return { offset, body: response.body };
    if (offset > 0 && (response.status === 206 || response.status === 416)) {
      await drain(response.body);
      return await this.openBlob(digest, 0, signal);
    }
    const failure = await statusFailure(response, this.#asked, this.#options.clock.now());
    // An address that a registry redirects to is good for a short time only; the next try gets a new one.
    const elsewhere = response.url.host !== this.#asked.host;
    throw elsewhere && failure instanceof OrchError ? new TransientFailure(failure) : failure;
  }

  /** A broken connection's failure in the words of this client. */
  failure(error: unknown): unknown {
    return connectionFailure(error, this.#asked);
  }

  /** Sends a GET below the repository; asks for a token when refused, once. */
  async #get(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const url = new URL(`/v2/${this.#path}/${path}`, await this.#findOrigin());
    const send = async (authorization: string | undefined): Promise<HttpResponse> => {
      try {
        return await this.#http.send({ url, headers: { ...headers, ...(authorization && { authorization }) }, signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw this.failure(error);
      }
    };
    const used = this.#authorizer.header();
    const response = await send(used);
    if (response.status !== 401 || response.url.host !== url.host) return response;
    const refusal = await statusFailure(response, this.#asked, this.#options.clock.now());
    if (!await this.#authorizer.answer(response.headers['www-authenticate'] ?? '', used)) throw refusal;
    return await send(this.#authorizer.header());
  }

  async #readManifest({ body }: HttpResponse): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_MANIFEST_BYTES) throw new OrchError('ORCH_CORRUPT', `Registry ${this.#asked.host} sent a manifest of "${this.#asked.what}" larger than ${MAX_MANIFEST_BYTES} bytes`);
      }
    } catch (error) {
      throw this.failure(error);
    }
    return Buffer.concat(chunks);
  }

  /** `https://host`, or `http://host` for an insecure registry that speaks no TLS. */
  async #findOrigin(): Promise<string> {
    if (!this.#insecure) return `https://${this.#asked.host}`;
    this.#origin ??= this.#probe();
    try {
      return await this.#origin;
    } catch (error) {
      this.#origin = undefined;
      throw this.failure(error);
    }
  }

  async #probe(): Promise<string> {
    const { host } = this.#asked;
    try {
      const response = await this.#http.send({ url: new URL(`https://${host}/v2/`) });
      await drain(response.body);
      return `https://${host}`;
    } catch (error) {
      if (noTls.some((code) => isErrno(error, code))) return `http://${host}`;
      throw error;
    }
  }
}
