import { randomBytes, randomInt } from 'node:crypto';

/** Where all chance in orch comes from; passed by argument so that tests can repeat it. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `count` random bytes; from the system these are fit for keys and tokens. */
  bytes(count: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => randomInt(2 ** 47) / 2 ** 47,
  bytes: (count) => randomBytes(count),
};

/** A repeatable sequence for tests and simulations (mulberry32); not fit for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)) };
}
