import { backoffDelayMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { ManagerChannel } from '../../proto/channel.ts';
import { decodeRenewalResponse, encodeRenewalRequest } from '../../proto/convert/renewal.ts';
import { nodeControlMethods } from '../../proto/services.ts';
import type { Identity } from '../identity/identity.ts';
import { renewalTimeMs, renewIdentity } from '../identity/renew-identity.ts';

export type IdentityRenewalOptions = {
  readonly identity: Identity;
  readonly pkiDir: string;
  /** A connection to a manager that knows this node; undefined while there is none. */
  readonly channel: () => ManagerChannel | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onIdentity: (identity: Identity) => void;
};

const ANSWER_TIMEOUT_MS = 20_000;
/** The wall clock is looked at this often: it may be set, or the host may have slept; and timers end at 24 days. */
const LOOK_MS = 3_600_000;
/** A manager whose clock is wrong may grant certificates that are due at once; they are not renewed more often than this. */
const SHORTEST_LIFE_MS = 60_000;
const BASE_DELAY_MS = 1_000;
const MAX_DELAY_MS = 300_000;

/** Renews a node's certificate at a random point of the second half of its life, or when told to. */
export class IdentityRenewal {
  readonly #options: IdentityRenewalOptions;
  #identity: Identity;
  #dueMs: number;
  #failures = 0;
  #wake = new AbortController();
  #changed = Promise.withResolvers<void>();

  constructor(options: IdentityRenewalOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#dueMs = renewalTimeMs(options.identity, options.random);
  }

  get identity(): Identity { return this.#identity; }

  /** Resolves once the identity is another than `from`. */
  changed(from: Identity): Promise<void> {
    return from === this.#identity ? this.#changed.promise : Promise.resolve();
  }

  renewNow(): void {
    this.#dueMs = 0;
    this.retryNow();
  }

  /** Tries again at once if the last attempt failed: there is a connection now. */
  retryNow(): void {
    this.#failures = 0;
    this.#wake.abort();
  }

  /** Until aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const waitMs = this.#dueMs - clock.now();
      if (waitMs > 0) await this.#sleep(Math.min(waitMs, LOOK_MS), signal);
      else if (!await this.#renew()) await this.#sleep(this.#retryDelayMs(), signal);
    }
  }

  async #sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(durationMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => { /* woken, or stopped */ });
  }

  #retryDelayMs(): number {
    return backoffDelayMs(Math.max(this.#failures - 1, 0), { baseMs: BASE_DELAY_MS, maxMs: MAX_DELAY_MS, random: this.#options.random });
  }

  /** False when it must be tried again. */
  async #renew(): Promise<boolean> {
    const { channel, pkiDir, clock, log, random, onIdentity } = this.#options;
    this.#failures += 1;
    const manager = channel();
    if (!manager) return false;
    this.#dueMs = Number.POSITIVE_INFINITY; // unless it is asked for again meanwhile
    try {
      this.#identity = await renewIdentity(this.#identity, pkiDir, async (csrPem) => decodeRenewalResponse(
        await manager.call({ method: nodeControlMethods.renewCertificate, request: encodeRenewalRequest({ csrPem }), timeoutMs: ANSWER_TIMEOUT_MS }),
      ));
    } catch (error) {
      log.warn({ err: error, failures: this.#failures }, 'the certificate of this node could not be renewed');
      this.#dueMs = 0;
      return false;
    }
    this.#failures = 0;
    this.#dueMs = Math.min(this.#dueMs, Math.max(renewalTimeMs(this.#identity, random), clock.now() + SHORTEST_LIFE_MS));
    log.info({ role: this.#identity.role, notAfterMs: this.#identity.notAfterMs }, 'the certificate of this node was renewed');
    onIdentity(this.#identity);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    return true;
  }
}
