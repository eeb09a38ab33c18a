/**
 * Every failure a user can cause or see. The code and the exit code are API: codes are never reused.
 * `http` follows Docker's answers; `grpc` are gRPC status codes (grpc/status.h); `exit` follows sysexits only in spirit: 1 is a bug or an unknown failure.
 */
export const errorCodes = {
  ORCH_INVALID: { http: 400, grpc: 3, exit: 2 },
  ORCH_USAGE: { http: 400, grpc: 3, exit: 2 },
  ORCH_UNREACHABLE: { http: 503, grpc: 14, exit: 3 },
  ORCH_NOT_FOUND: { http: 404, grpc: 5, exit: 4 },
  ORCH_CONFLICT: { http: 409, grpc: 10, exit: 5 },
  ORCH_NAME_TAKEN: { http: 409, grpc: 6, exit: 5 },
  ORCH_IN_USE: { http: 409, grpc: 9, exit: 5 },
  ORCH_NOT_MANAGER: { http: 503, grpc: 9, exit: 6 },
  ORCH_ALREADY_IN_CLUSTER: { http: 503, grpc: 9, exit: 6 },
  ORCH_UNAUTHORIZED: { http: 401, grpc: 16, exit: 7 },
  ORCH_FORBIDDEN: { http: 403, grpc: 7, exit: 7 },
  ORCH_BAD_TOKEN: { http: 400, grpc: 7, exit: 7 },
  ORCH_CLOCK_SKEW: { http: 400, grpc: 9, exit: 7 },
  ORCH_UNSUPPORTED: { http: 501, grpc: 12, exit: 8 },
  ORCH_NO_SPACE: { http: 507, grpc: 8, exit: 9 },
  ORCH_CORRUPT: { http: 400, grpc: 15, exit: 10 },
  ORCH_REGISTRY: { http: 500, grpc: 14, exit: 11 },
  ORCH_TIMEOUT: { http: 504, grpc: 4, exit: 12 },
  ORCH_RUNTIME: { http: 500, grpc: 13, exit: 13 },
  ORCH_NOT_CONVERGED: { http: 500, grpc: 9, exit: 14 },
  ORCH_INTERNAL: { http: 500, grpc: 13, exit: 1 },
} as const;

export type ErrorCode = keyof typeof errorCodes;

export type ErrorDetails = Readonly<Record<string, string | number>>;

/** A failure with a stable code, a sentence that names the object, and, where there is one, what to do about it. Never holds secrets. */
export class OrchError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; hint?: string | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'OrchError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** True for an OrchError, of the given code when one is given. */
export const isOrchError = (value: unknown, code?: ErrorCode): value is OrchError =>
  value instanceof OrchError && (code === undefined || value.code === code);

/** True when `text` is a code of the table; for errors that come over a wire. */
export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(errorCodes, text);

/** What to show of an unknown failure: its message, or the value as text. */
export const errorMessage = (error: unknown): string => error instanceof Error ? error.message : String(error);

/** Marks code that the types prove unreachable. */
export const assertNever = (value: never): never => { throw new Error(`unreachable case: ${JSON.stringify(value)}`); };
