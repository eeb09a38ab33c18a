import { OrchError } from '../model/errors.ts';
import { parseTimeMs } from './convert/time.ts';

/** The filters of a list or stream: by name, values of which one must match. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** The query of a request, read as Docker reads it. */
export class Query {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) { this.#values = values; }

  /** All values of a name that may be repeated. */
  texts(name: string): readonly string[] {
    return [this.#values[name] ?? []].flat().map(String);
  }

  /** The last value; undefined when missing or empty. */
  text(name: string): string | undefined { return this.texts(name).at(-1) || undefined; }

  /** Everything but empty, 0, no, false and none is true. */
  flag(name: string): boolean {
    const text = this.text(name)?.toLowerCase().trim() ?? '';
    return !['', '0', 'no', 'false', 'none'].includes(text);
  }

  /** A whole number, possibly negative. Throws ORCH_INVALID. */
  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
    throw new OrchError('ORCH_INVALID', `The query parameter ${name} must be a whole number, not "${text}"`);
  }

  /** A point in time in ms since the epoch; undefined when missing. Throws ORCH_INVALID. */
  timeMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const atMs = parseTimeMs(text);
    if (atMs !== undefined) return atMs;
    throw new OrchError('ORCH_INVALID', `The query parameter ${name} must be a time in seconds since 1970 or of RFC 3339, not "${text}"`);
  }

  /** The version of an object that an update started from. Throws ORCH_INVALID when missing. */
  version(): number {
    const version = this.integer('version');
    if (version !== undefined && version >= 0) return version;
    throw new OrchError('ORCH_INVALID', 'The query parameter version must be the version of the object that the update starts from');
  }

  /** `filters` as Docker's clients write it, `{"label":["a=b"]}`, or as old ones did, `{"label":{"a=b":true}}`. Throws ORCH_INVALID for a name that is not in `known`, ORCH_UNSUPPORTED for one in `unsupported`. */
  filters(known: readonly string[], unsupported: readonly string[] = []): Filters {
    const text = this.text('filters');
    const filters = new Map(Object.entries(text === undefined ? {} : parseFilters(text)));
    for (const name of filters.keys()) {
      if (known.includes(name)) continue;
      if (unsupported.includes(name)) throw new OrchError('ORCH_UNSUPPORTED', `orch does not support the filter "${name}" here`, { hint: `Use ${known.join(', ')}` });
      throw new OrchError('ORCH_INVALID', `invalid filter '${name}'`, { hint: `Use ${known.join(', ')}` });
    }
    return filters;
  }
}

function parseFilters(text: string): Record<string, readonly string[]> {
  const value = parseJson(text);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = isObject ? Object.entries(value).map(([name, values]) => [name, filterValues(values)] as const) : [];
  if (isObject && entries.every(([, values]) => values !== undefined)) return Object.fromEntries(entries.map(([name, values]) => [name, values ?? []]));
  throw new OrchError('ORCH_INVALID', `The query parameter filters must be JSON such as {"label":["a=b"]}, not "${text.slice(0, 200)}"`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function filterValues(values: unknown): readonly string[] | undefined {
  if (Array.isArray(values)) return values.every((value) => typeof value === 'string') ? values : undefined;
  if (typeof values !== 'object' || values === null) return undefined;
  return Object.entries(values).flatMap(([value, isSet]) => isSet === true ? [value] : []);
}

/** True when there is no such filter, or one of its values passes. */
export function passes(filters: Filters, name: string, matches: (value: string) => boolean): boolean {
  const values = filters.get(name);
  return values === undefined || values.length === 0 || values.some(matches);
}

/** True when every `key` and `key=value` of the filter is among `labels`. */
export function passesLabels(filters: Filters, name: string, labels: Readonly<Record<string, string>>): boolean {
  return (filters.get(name) ?? []).every((wanted) => {
    const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(wanted) ?? [];
    return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
  });
}
