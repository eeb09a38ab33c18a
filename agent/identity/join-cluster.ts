import type { Clock } from '../../base/clock.ts';
import { errorMessage, isOrchError, OrchError } from '../../model/errors.ts';
import type { NodeAvailability } from '../../model/node.ts';
import { formatHostPort, parseHostPort } from '../../proto/address.ts';
import { openChannel } from '../../proto/channel.ts';
import { caRequest, decodeCaResponse, decodeJoinResponse, encodeJoinRequest } from '../../proto/convert/join.ts';
import { caDigestOf, parseJoinToken } from '../../proto/join-token.ts';
import type { JoinToken } from '../../proto/join-token.ts';
import { managerPort } from '../../proto/names.ts';
import { joinMethods } from '../../proto/services.ts';
import { formatTime } from '../../proto/time.ts';
import { maxClockSkewMs } from '../../proto/x509/profile.ts';
import { saveIdentity } from './identity.ts';
import type { Identity } from './identity.ts';
import { createNodeKey } from './node-key.ts';

export type JoinClusterOptions = {
  readonly token: string;
  /** Managers to try in turn, HOST or HOST:PORT. */
  readonly addresses: readonly string[];
  readonly hostname: string;
  readonly availability: NodeAvailability;
  /** Address at which other nodes reach this one; empty for the one its connection comes from. */
  readonly advertiseAddress: string;
  /** Where the identity is written, `<data-dir>/pki`. */
  readonly pkiDir: string;
  readonly clock: Clock;
};

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Joins the cluster that the token pins and writes this node's identity; the node's record exists when it resolves.
 * The CA is fetched first and compared with the token: nothing secret is sent to a server that fails this.
 * Throws ORCH_BAD_TOKEN, ORCH_CLOCK_SKEW, ORCH_INVALID, and ORCH_UNREACHABLE when no address answers.
 */
export async function joinCluster(options: JoinClusterOptions): Promise<Identity> {
  const token = parseJoinToken(options.token);
  const addresses = options.addresses.map((address) => formatHostPort(parseHostPort(address, managerPort)));
  if (addresses.length === 0) throw new OrchError('ORCH_INVALID', 'Joining takes the address of at least one manager');
  const failures: OrchError[] = [];
  for (const address of addresses) {
    try {
      return await joinAt(address, token, options);
    } catch (error) {
      // Only the way to this manager is broken: another address may still work. Everything else would fail there too.
      if (!isOrchError(error, 'ORCH_UNREACHABLE') && !isOrchError(error, 'ORCH_TIMEOUT')) throw error;
      failures.push(error);
    }
  }
  throw summarize(addresses, failures);
}

async function joinAt(address: string, token: JoinToken, options: JoinClusterOptions): Promise<Identity> {
  const caPem = await fetchPinnedCa(address, token, options.clock);
  using channel = openChannel(address, { type: 'ca', caPem });
  await channel.ready(CONNECT_TIMEOUT_MS);
  const { keyPem, csrPem } = await createNodeKey();
  const request = encodeJoinRequest({
    token: options.token.trim(), csrPem, availability: options.availability, hostname: options.hostname,
    advertiseAddress: options.advertiseAddress, nowMs: options.clock.now(),
  });
  const answer = decodeJoinResponse(await channel.call({ method: joinMethods.issueCertificate, request, timeoutMs: ANSWER_TIMEOUT_MS }));
  return saveIdentity(options.pkiDir, { keyPem, certificatePem: answer.certificatePem, caPem: answer.caPem });
}

/** The CA that the server at `address` names, once it is known to be the token's. */
async function fetchPinnedCa(address: string, token: JoinToken, clock: Clock): Promise<string> {
  using channel = openChannel(address, { type: 'none' });
  await channel.ready(CONNECT_TIMEOUT_MS);
  const { caPem, nowMs } = decodeCaResponse(await channel.call({ method: joinMethods.getCa, request: caRequest, timeoutMs: ANSWER_TIMEOUT_MS }));
  if (digestOf(caPem, address) !== token.caDigest) {
    throw new OrchError('ORCH_BAD_TOKEN', `The join token is not of the cluster at ${address}: the digest of its CA differs`, {
      details: { address }, hint: 'Use the token that a manager of this cluster shows; if it is that one, something between the nodes pretends to be the manager',
    });
  }
  checkClock({ address, managerMs: nowMs, ownMs: clock.now() });
  return caPem;
}

function digestOf(caPem: string, address: string): string {
  try {
    return caDigestOf(caPem);
  } catch (cause) {
    throw new OrchError('ORCH_BAD_TOKEN', `The server at ${address} shows no CA that the join token could be of`, { details: { address }, cause, hint: 'Check that the address is of a manager' });
  }
}

function checkClock({ address, managerMs, ownMs }: { address: string; managerMs: number; ownMs: number }): void {
  if (Math.abs(managerMs - ownMs) <= maxClockSkewMs) return;
  throw new OrchError('ORCH_CLOCK_SKEW', `The clocks of this node (${formatTime(ownMs)}) and of manager ${address} (${formatTime(managerMs)}) differ by more than ${maxClockSkewMs / 60_000} minutes`, {
    details: { address, managerMs, ownMs }, hint: 'Set both clocks, for example with NTP, and join again',
  });
}

function summarize(addresses: readonly string[], failures: readonly OrchError[]): OrchError {
  const [first] = failures;
  if (first && failures.length === 1) return first;
  return new OrchError('ORCH_UNREACHABLE', `No manager could be reached at ${addresses.join(', ')}: ${failures.map(errorMessage).join('; ')}`, {
    hint: first?.hint, cause: new AggregateError(failures),
  });
}
