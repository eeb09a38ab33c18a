import { connect } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { systemClock } from '../base/clock.ts';
import { formatTime } from './time.ts';
import { errorMessage, OrchError } from '../model/errors.ts';
import type { ErrorCode } from '../model/errors.ts';
import { parseHostPort } from './address.ts';
import { managerPort, managerServerName } from './names.ts';

const TIMEOUT_MS = 3_000;

/** Why a manager could not be reached or trusted: dials it once more, because gRPC tells the reason only as text. Always returns an error to throw. */
export async function explainUnreachable(address: string, secureContext: SecureContext, signal?: AbortSignal): Promise<OrchError> {
  return explain(address, await dialOnce(address, secureContext, signal));
}

/** The error of one plain TLS connection; undefined when it works (again). */
function dialOnce(address: string, secureContext: SecureContext, signal: AbortSignal | undefined): Promise<unknown> {
  if (signal?.aborted) return Promise.resolve(signal.reason);
  const { host, port } = parseHostPort(address, managerPort);
  return new Promise((resolve) => {
    const socket = connect({ host, port, secureContext, servername: managerServerName, ALPNProtocols: ['h2'] });
    const onAbort = (): void => finish(signal?.reason);
    const finish = (error: unknown): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(TIMEOUT_MS, () => finish(Object.assign(new Error('No answer in time'), { code: 'ETIMEDOUT' })));
    socket.once('secureConnect', () => finish(undefined));
    // Stays for the life of the socket: a late error of a destroyed one must not end the process.
    socket.on('error', finish);
  });
}

type Reason = { readonly code: ErrorCode; readonly sentence: (address: string) => string; readonly hint: string };

const CHECK_ADDRESS = 'Check the address and that orch runs there';
const noAnswer: Reason = {
  code: 'ORCH_UNREACHABLE', sentence: (address) => `Manager ${address} can't be reached: no answer`,
  hint: `Check the address and that no firewall blocks TCP port ${managerPort}`,
};
const unknownName: Reason = { code: 'ORCH_UNREACHABLE', sentence: (address) => `Manager ${address} can't be reached: its name is not known`, hint: 'Check the name, or use its IP address' };
const notNow: Reason = {
  code: 'ORCH_CLOCK_SKEW', sentence: (address) => `The certificate of manager ${address} is not valid at this node's time, ${formatTime(systemClock.now())}`,
  hint: 'Set the clocks of both nodes, for example with NTP',
};
const otherCluster: Reason = {
  code: 'ORCH_UNAUTHORIZED', sentence: (address) => `The server at ${address} has no certificate of this cluster`, hint: 'Check that the address is of a manager of this cluster',
};

/** By the code of Node's network and TLS errors. */
const reasons: ReadonlyMap<string | undefined, Reason> = new Map([
  ['ECONNREFUSED', { code: 'ORCH_UNREACHABLE', sentence: (address) => `No manager listens at ${address}: the connection was refused`, hint: CHECK_ADDRESS }],
  ['ENOTFOUND', unknownName], ['EAI_AGAIN', unknownName],
  ['EHOSTUNREACH', noAnswer], ['ENETUNREACH', noAnswer], ['ETIMEDOUT', noAnswer],
  ['CERT_NOT_YET_VALID', notNow], ['CERT_HAS_EXPIRED', notNow],
  ['ERR_TLS_CERT_ALTNAME_INVALID', { code: 'ORCH_UNAUTHORIZED', sentence: (address) => `${address} belongs to a node of the cluster that is no manager`, hint: 'Use the address of a manager' }],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', otherCluster], ['UNABLE_TO_GET_ISSUER_CERT', otherCluster], ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', otherCluster],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', otherCluster], ['SELF_SIGNED_CERT_IN_CHAIN', otherCluster], ['CERT_SIGNATURE_FAILURE', otherCluster],
]);

function explain(address: string, cause: unknown): OrchError {
  const details = { address };
  if (cause === undefined) return new OrchError('ORCH_UNREACHABLE', `The connection to manager ${address} failed once`, { details, hint: 'Try again' });
  const reason = reasons.get(errorCodeOf(cause));
  if (!reason) return new OrchError('ORCH_UNREACHABLE', `Manager ${address} can't be reached: ${errorMessage(cause)}`, { details, hint: CHECK_ADDRESS, cause });
  return new OrchError(reason.code, reason.sentence(address), { details, hint: reason.hint, cause });
}

function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
