import { OrchError } from '../../model/errors.ts';
import { formatProblem } from '../../model/problems.ts';
import type { Problem } from '../../model/problems.ts';

/** Collects what is wrong with one request, so that its sender hears of everything at once. */
export type BodyProblems = {
  /** The value at `path` is not what the API takes; `message` follows the place: `must be text, not 5`. */
  invalid(path: string, message: string): void;
  /** The value at `path` is the API's, but orch would not honour it. */
  unsupported(path: string, message: string): void;
  /** Throws ORCH_INVALID when anything is invalid, else ORCH_UNSUPPORTED when anything is unsupported; both list all problems. */
  throwIfAny(): void;
};

export function bodyProblems(): BodyProblems {
  const problems: (Problem & { readonly kind: 'invalid' | 'unsupported' })[] = [];
  return {
    invalid(path, message) { problems.push({ kind: 'invalid', path: path || 'the body', message }); },
    unsupported(path, message) { problems.push({ kind: 'unsupported', path: path || 'the body', message }); },
    throwIfAny() {
      if (problems.length === 0) return;
      const isInvalid = problems.some(({ kind }) => kind === 'invalid');
      throw new OrchError(isInvalid ? 'ORCH_INVALID' : 'ORCH_UNSUPPORTED',
        `The request ${isInvalid ? 'is not valid' : 'asks for what orch does not do'}: ${problems.map(formatProblem).join('; ')}`,
        { details: Object.fromEntries(problems.map(({ path, message }) => [path, message])) });
    },
  };
}
