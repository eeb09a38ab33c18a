/** What may bear a name; the rule follows from how the name is used. */
export type NameKind = 'service' | 'node' | 'network' | 'volume' | 'container' | 'cluster';

/** A label of DNS, where `_` is let through because Docker's stacks join with it. */
const labelPattern = /^[a-zA-Z0-9](?:[-_]*[a-zA-Z0-9]+)*$/;
const wordPattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

const rules: Readonly<Record<NameKind, { readonly pattern: RegExp; readonly maxLength: number; readonly must: string }>> = {
  service: { pattern: labelPattern, maxLength: 63, must: 'must be letters, digits, - and _, beginning and ending with a letter or digit' },
  node: { pattern: labelPattern, maxLength: 63, must: 'must be letters, digits, - and _, beginning and ending with a letter or digit' },
  cluster: { pattern: labelPattern, maxLength: 63, must: 'must be letters, digits, - and _, beginning and ending with a letter or digit' },
  network: { pattern: wordPattern, maxLength: 63, must: 'must be letters, digits, _, . and -, beginning with a letter or digit' },
  volume: { pattern: wordPattern, maxLength: 255, must: 'must be letters, digits, _, . and -, beginning with a letter or digit' },
  container: { pattern: wordPattern, maxLength: 255, must: 'must be letters, digits, _, . and -, beginning with a letter or digit' },
};

/** Why `name` cannot name a `kind`, in words that follow the name; undefined when it can. */
export function nameProblem(kind: NameKind, name: string): string | undefined {
  const { pattern, maxLength, must } = rules[kind];
  if (name === '') return 'must not be empty';
  if (name.length > maxLength) return `must not be longer than ${maxLength} characters`;
  return pattern.test(name) ? undefined : must;
}

const adjectives = [
  'able', 'agile', 'amber', 'ample', 'apt', 'awake', 'bold', 'brave', 'bright', 'brisk', 'calm', 'candid', 'clear', 'clever', 'cosmic', 'crisp',
  'curious', 'dapper', 'daring', 'deft', 'eager', 'earnest', 'easy', 'elated', 'epic', 'exact', 'fair', 'famous', 'fervent', 'festive', 'fleet', 'fluent',
  'focused', 'fond', 'frank', 'free', 'fresh', 'gentle', 'gifted', 'glad', 'golden', 'graceful', 'grand', 'happy', 'hardy', 'hopeful', 'humble', 'jolly',
  'jovial', 'keen', 'kind', 'lively', 'loyal', 'lucid', 'lucky', 'mellow', 'merry', 'modest', 'neat', 'nimble', 'noble', 'novel', 'open', 'patient',
  'peaceful', 'placid', 'polite', 'proud', 'quick', 'quiet', 'rapid', 'ready', 'robust', 'rustic', 'serene', 'sharp', 'silent', 'sincere', 'smart', 'snug',
  'sober', 'solid', 'steady', 'sunny', 'swift', 'tender', 'tidy', 'tough', 'tranquil', 'trusty', 'upbeat', 'valiant', 'vivid', 'warm', 'witty', 'zesty',
] as const;

const surnames = [
  'abel', 'allen', 'ampere', 'archimedes', 'avicenna', 'babbage', 'banach', 'bardeen', 'bell', 'bernoulli', 'bohr', 'boole', 'borg', 'bose', 'brahe', 'cantor',
  'carson', 'carver', 'cauchy', 'cerf', 'chandra', 'clarke', 'cori', 'cray', 'curie', 'darwin', 'dijkstra', 'dirac', 'einstein', 'elion', 'engelbart', 'erdos',
  'euclid', 'euler', 'faraday', 'fermat', 'fermi', 'feynman', 'franklin', 'galileo', 'galois', 'gauss', 'germain', 'goldberg', 'goodall', 'hamilton', 'hawking', 'heisenberg',
  'hertz', 'hilbert', 'hodgkin', 'hopper', 'hubble', 'hypatia', 'jackson', 'jones', 'kalam', 'kepler', 'keller', 'khorana', 'knuth', 'kovalevskaya', 'lamarr', 'lamport',
  'leavitt', 'leibniz', 'liskov', 'lovelace', 'maxwell', 'mayer', 'mccarthy', 'mcclintock', 'meitner', 'mendel', 'mirzakhani', 'newton', 'nightingale', 'nobel', 'noether', 'pascal',
  'pasteur', 'payne', 'perlman', 'planck', 'poincare', 'ramanujan', 'ride', 'ritchie', 'rubin', 'sagan', 'shannon', 'sinoussi', 'swartz', 'tesla', 'turing', 'wiles', 'wright', 'yalow',
] as const;

/** A name such as `festive_curie` for what the user left unnamed. `pickIndex(count)` gives a whole number in [0, count); names may repeat, so the caller checks. */
export function randomName(pickIndex: (count: number) => number): string {
  return `${adjectives[pickIndex(adjectives.length)] ?? adjectives[0]}_${surnames[pickIndex(surnames.length)] ?? surnames[0]}`;
}
