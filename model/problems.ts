import { OrchError } from './errors.ts';

/** One thing wrong with an object: where, as `template.container.mounts[1].target`, and what, in words that follow the place. */
export type Problem = { readonly path: string; readonly message: string };

/** Throws one ORCH_INVALID that lists every problem; its details have them by path. `kindAndName` begins the sentence: `Service "web"`. Returns when there are none. */
export function throwIfInvalid(kindAndName: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new OrchError('ORCH_INVALID', `${kindAndName} is not valid: ${problems.map(formatProblem).join('; ')}`,
    { details: Object.fromEntries(problems.map((problem) => [problem.path, problem.message])) });
}

/** `PATH: MESSAGE`. */
export const formatProblem = (problem: Problem): string => `${problem.path}: ${problem.message}`;

/** A list of the one problem, or of none when `message` is undefined. */
export const problemAt = (path: string, message: string | undefined): Problem[] => message === undefined ? [] : [{ path, message }];

/** The problem of `condition` being false. */
export const requireThat = (path: string, condition: boolean, message: string): Problem[] => condition ? [] : [{ path, message }];

/** The sentence of the ORCH_INVALID that `parse` throws, as the problem at `path`. */
export function parseProblem(path: string, parse: () => unknown): Problem[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (error instanceof OrchError && error.code === 'ORCH_INVALID') return [{ path, message: error.message }];
    throw error;
  }
}

/** A whole number within the range; undefined is fine. `max` is without limit when missing. */
export function wholeNumber(path: string, value: number | undefined, range: { readonly min: number; readonly max?: number }): Problem[] {
  const { min, max = Number.MAX_SAFE_INTEGER } = range;
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return [];
  const wanted = range.max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  return [{ path, message: `must be a whole number ${wanted}, not ${value}` }];
}

/** A time in ms, 0 or more, possibly a fraction; undefined is fine. */
export const durationMs = (path: string, value: number | undefined): Problem[] =>
  requireThat(path, value === undefined || (Number.isFinite(value) && value >= 0), `must be a time of 0 or more, not ${value}`);

/** One of the words; undefined is fine. For values that came over a wire and only claim to be of their type. */
export const oneOf = (path: string, value: string | undefined, words: readonly string[]): Problem[] =>
  requireThat(path, value === undefined || words.includes(value), `must be one of ${words.join(', ')}, not "${value}"`);

/** Path and value of every item: `path[0]`, `path[1]`, … */
export const eachItem = <T>(path: string, items: readonly T[] | undefined, check: (path: string, item: T) => readonly Problem[]): Problem[] =>
  (items ?? []).flatMap((item, index) => check(`${path}[${index}]`, item));

/** A problem at every item whose key an earlier item has. Items without a key (undefined) never repeat. */
export function repeated<T>(path: string, items: readonly T[] | undefined, describe: (item: T) => { readonly key: string | undefined; readonly message: string }): Problem[] {
  const seen = new Set<string>();
  return eachItem(path, items, (itemPath, item) => {
    const { key, message } = describe(item);
    if (key === undefined) return [];
    if (seen.has(key)) return [{ path: itemPath, message }];
    seen.add(key);
    return [];
  });
}

/** Label names: not empty, no white space around them. */
export const labelProblems = (path: string, labels: Readonly<Record<string, string>> | undefined): Problem[] =>
  Object.keys(labels ?? {}).flatMap((name) => requireThat(`${path}["${name}"]`, name !== '' && name.trim() === name, 'the name of a label must not be empty or begin or end with white space'));
