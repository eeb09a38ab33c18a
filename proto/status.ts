import { Metadata, status } from '@grpc/grpc-js';
import type { ServerErrorResponse } from '@grpc/grpc-js';
import { errorCodes, errorMessage, isErrorCode, isOrchError, OrchError } from '../model/errors.ts';
import type { ErrorCode, ErrorDetails } from '../model/errors.ts';

/** Trailer that carries an OrchError, so that the caller gets the same code, sentence and hint. */
const ERROR_TRAILER = 'orch-error-bin';

/** What an OrchError looks like in the trailer, as JSON. */
type ErrorTrailer = { code: ErrorCode; message: string; hint?: string; details: ErrorDetails };

/** The gRPC form of a failure, for a handler to answer with. Anything but an OrchError becomes ORCH_INTERNAL. */
export function toServiceError(error: unknown): ServerErrorResponse {
  const failure = isOrchError(error) ? error : new OrchError('ORCH_INTERNAL', `The manager failed: ${errorMessage(error)}`);
  const trailer: ErrorTrailer = { code: failure.code, message: failure.message, details: failure.details, ...(failure.hint === undefined ? {} : { hint: failure.hint }) };
  const metadata = new Metadata();
  metadata.set(ERROR_TRAILER, Buffer.from(JSON.stringify(trailer)));
  return Object.assign(new Error(failure.message), { code: errorCodes[failure.code].grpc, details: failure.message, metadata });
}

/** The OrchError behind a failed call to `peer` (HOST:PORT): the one the other end threw, or what gRPC's own status means. */
export function fromServiceError(error: unknown, peer: string): OrchError {
  if (isOrchError(error)) return error;
  const trailer = readTrailer(error);
  if (trailer) return new OrchError(trailer.code, trailer.message, { details: trailer.details, cause: error, hint: trailer.hint });
  return new OrchError(codeOf(error), `The call to manager ${peer} failed: ${errorMessage(error)}`, { details: { peer }, cause: error });
}

function codeOf(error: unknown): ErrorCode {
  switch (isObject(error) ? error['code'] : undefined) {
    case status.UNAVAILABLE:
    case status.CANCELLED: return 'ORCH_UNREACHABLE';
    case status.DEADLINE_EXCEEDED: return 'ORCH_TIMEOUT';
    case status.UNAUTHENTICATED: return 'ORCH_UNAUTHORIZED';
    case status.PERMISSION_DENIED: return 'ORCH_FORBIDDEN';
    case status.UNIMPLEMENTED: return 'ORCH_UNSUPPORTED';
    case status.RESOURCE_EXHAUSTED: return 'ORCH_NO_SPACE';
    default: return 'ORCH_INTERNAL';
  }
}

function readTrailer(error: unknown): ErrorTrailer | undefined {
  const metadata = isObject(error) ? error['metadata'] : undefined;
  if (!(metadata instanceof Metadata)) return undefined;
  const [bytes] = metadata.get(ERROR_TRAILER);
  return Buffer.isBuffer(bytes) ? parseTrailer(bytes.toString('utf8')) : undefined;
}

/** Undefined for a trailer of another form: then gRPC's own status speaks. */
function parseTrailer(json: string): ErrorTrailer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { code, message, hint, details } = value;
  if (typeof code !== 'string' || !isErrorCode(code) || typeof message !== 'string') return undefined;
  return { code, message, details: readDetails(details), ...(typeof hint === 'string' ? { hint } : {}) };
}

function readDetails(value: unknown): ErrorDetails {
  const details: Record<string, string | number> = {};
  if (!isObject(value)) return details;
  for (const [key, detail] of Object.entries(value)) if (typeof detail === 'string' || typeof detail === 'number') details[key] = detail;
  return details;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
