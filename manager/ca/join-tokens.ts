import { timingSafeEqual } from 'node:crypto';
import type { Random } from '../../base/random.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { NodeRole } from '../../model/node.ts';
import { formatJoinToken } from '../../proto/join-token.ts';

const SECRET_BYTES = 16;

/** A new token for this CA; writing it into the cluster's `joinTokens` makes the one before worthless. */
export const createJoinToken = (caPem: string, random: Random): string => formatJoinToken(caPem, random.bytes(SECRET_BYTES));

/** The role that `token` joins as; undefined when it is none of the cluster's tokens. Takes as long for a near miss as for a far one. */
export function roleOfToken(token: string, tokens: Cluster['joinTokens']): NodeRole | undefined {
  const isManager = equalsInConstantTime(token, tokens.manager);
  const isWorker = equalsInConstantTime(token, tokens.worker);
  if (isManager) return 'manager';
  return isWorker ? 'worker' : undefined;
}

function equalsInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
