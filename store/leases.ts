type Lease = { readonly holder: string; readonly ttlMs: number; readonly expiresAtMs: number };

/** Who holds which leadership key until when. Times are of a monotonic clock. */
export class Leases {
  readonly #leases = new Map<string, Lease>();

  /** Keys that have run out. */
  expired(nowMs: number): string[] {
    const keys: string[] = [];
    for (const [key, lease] of this.#leases) if (lease.expiresAtMs <= nowMs) keys.push(key);
    return keys;
  }

  /** The holder of `key`; look for expired ones first. */
  holder(key: string): string | undefined { return this.#leases.get(key)?.holder; }

  /** Starts or extends a lease. */
  grant(key: string, lease: { holder: string; ttlMs: number; nowMs: number }): void {
    this.#leases.set(key, { holder: lease.holder, ttlMs: lease.ttlMs, expiresAtMs: lease.nowMs + lease.ttlMs });
  }

  /** Ends a lease; also when its key is written by an ordinary commit, which makes it an ordinary key. */
  drop(key: string): void { this.#leases.delete(key); }
}
