/** Text that is equal for values that mean the same once stored: the order of keys and fields that are undefined make no difference. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, (_key, part: unknown) =>
  isPlainObject(part) ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => a < b ? -1 : 1)) : part);

const isPlainObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
