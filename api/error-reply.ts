import { OrchError, errorCodes, errorMessage } from '../model/errors.ts';

/** Docker's error body, with orch's code, hint and details beside the sentence that Docker's clients show. */
export function errorBody(error: unknown): { readonly status: number; readonly body: object } {
  const known = error instanceof OrchError ? error : new OrchError('ORCH_INTERNAL', `orch failed: ${errorMessage(error)}`, { cause: error });
  const { message, code, hint, details } = known;
  return {
    status: errorCodes[code].http,
    body: { message, code, ...(hint === undefined ? {} : { hint }), ...(Object.keys(details).length === 0 ? {} : { details }) },
  };
}
