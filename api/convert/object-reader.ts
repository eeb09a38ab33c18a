import type { BodyProblems } from './body-problems.ts';

type IntegerRange = { readonly min?: number; readonly max?: number };

const NS_PER_MS = 1_000_000;

/** True for an object that is neither an array nor null. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** True for what Go's JSON leaves out or sends for a field nobody set: null, '', 0, false, empty lists and objects of only such. */
function isBlank(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.values(value).every(isBlank);
}

const describe = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'an object';
  return typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 80))}` : String(value);
};

type Field = { readonly key: string; readonly value: unknown };

/**
 * Reads the fields of one JSON object of a request. Every read takes its field away; `end` then speaks of what nobody read.
 * The case of names does not matter, as in Docker, whose own clients and definition differ in it (`Healthcheck`).
 * Fields that are missing, null or, unless a method says otherwise, blank read as undefined: Docker's clients send both for the same wish.
 * A wrong value is reported and reads as undefined, so that reading goes on to find the other problems.
 */
export class ObjectReader {
  readonly path: string;
  readonly #problems: BodyProblems;
  readonly #fields = new Map<string, Field>();

  constructor(value: unknown, path: string, problems: BodyProblems) {
    this.path = path;
    this.#problems = problems;
    if (!isRecord(value) && value !== undefined && value !== null) problems.invalid(path, `must be an object, not ${describe(value)}`);
    for (const [key, field] of Object.entries(isRecord(value) ? value : {})) {
      const known = this.#fields.get(key.toLowerCase());
      if (known) this.invalid(key, `is given a second time, beside ${known.key}`);
      else this.#fields.set(key.toLowerCase(), { key, value: field });
    }
  }

  pathOf(key: string): string { return this.path === '' ? key : `${this.path}.${key}`; }
  invalid(key: string, message: string): void { this.#problems.invalid(this.pathOf(key), message); }
  unsupported(key: string, message: string): void { this.#problems.unsupported(this.pathOf(key), message); }

  text(key: string): string | undefined {
    const value = this.#take(key);
    if (value === undefined || value === '') return undefined;
    return typeof value === 'string' ? value : this.#wrong(key, 'text', value);
  }

  /** Text that must be there. */
  requiredText(key: string): string {
    const isReported = this.has(key) && typeof this.#value(key) !== 'string';
    const value = this.text(key);
    if (value === undefined && !isReported) this.invalid(key, 'must be given');
    return value ?? '';
  }

  /** 0 is a value here. */
  integer(key: string, range: IntegerRange = {}): number | undefined {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    return this.#wrong(key, max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`, value);
  }

  /** A whole number for which 0 says the same as leaving it out. */
  amount(key: string, range: IntegerRange = {}): number | undefined { return this.integer(key, range) || undefined; }

  fraction(key: string): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    return typeof value === 'number' && value >= 0 && value <= 1 ? value : this.#wrong(key, 'a number from 0 to 1', value);
  }

  /** true, or undefined for false and missing. */
  flag(key: string): true | undefined { return this.tristate(key) || undefined; }

  /** For booleans whose false differs from a missing one. */
  tristate(key: string): boolean | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    return typeof value === 'boolean' ? value : this.#wrong(key, 'true or false', value);
  }

  /** Docker's nanoseconds as whole ms; 0 is a value here. Parts of a millisecond are refused, never rounded. */
  durationMs(key: string): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return this.#wrong(key, 'a time in whole nanoseconds', value);
    const ms = value / NS_PER_MS;
    if (Number.isSafeInteger(ms) && ms * NS_PER_MS === value) return ms;
    this.invalid(key, `must be whole milliseconds (multiples of 1000000 ns), not ${value} ns`);
    return undefined;
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.#take(key);
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
    return isTexts(value) ? value : this.#wrong(key, 'a list of texts', value);
  }

  textMap(key: string): Readonly<Record<string, string>> | undefined {
    const value = this.#take(key);
    if (value === undefined || (isRecord(value) && Object.keys(value).length === 0)) return undefined;
    return isTextMap(value) ? value : this.#wrong(key, 'an object of texts', value);
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.#take(key);
    if (value === undefined || value === '') return undefined;
    return words.find((word) => word === value) ?? this.#wrong(key, `one of ${words.join(', ')}`, value);
  }

  /** The object below `key`; one without fields when it is missing. */
  object(key: string): ObjectReader { return new ObjectReader(this.#take(key), this.pathOf(key), this.#problems); }

  objects(key: string): ObjectReader[] {
    const value = this.#take(key);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((item, index) => new ObjectReader(item ?? {}, `${this.pathOf(key)}[${index}]`, this.#problems));
    this.#wrong(key, 'a list of objects', value);
    return [];
  }

  /** True when `key` is there, not null, and not yet read. */
  has(key: string): boolean { return (this.#value(key) ?? null) !== null; }

  /** Ends the reading: fields of `refused` that say something are unsupported, all others that do are unknown. */
  end(refused: readonly string[] = []): void {
    for (const [name, { key, value }] of this.#fields) {
      if (isBlank(value)) continue;
      if (refused.some((word) => word.toLowerCase() === name)) this.unsupported(key, 'orch does not support this field');
      else this.invalid(key, 'is not a field of this object');
    }
    this.#fields.clear();
  }

  #value(key: string): unknown { return this.#fields.get(key.toLowerCase())?.value; }

  #take(key: string): unknown {
    const value = this.#value(key);
    this.#fields.delete(key.toLowerCase());
    return value ?? undefined;
  }

  #wrong(key: string, expected: string, value: unknown): undefined {
    this.invalid(key, `must be ${expected}, not ${describe(value)}`);
    return undefined;
  }
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string');
const isTextMap = (value: unknown): value is Record<string, string> => isRecord(value) && Object.values(value).every((item) => typeof item === 'string');
