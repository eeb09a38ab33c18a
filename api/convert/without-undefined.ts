type OptionalKey<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];
/** `T` with every field that may be undefined turned into one that may be missing. */
export type WithoutUndefined<T> = { [K in Exclude<keyof T, OptionalKey<T>>]: T[K] } & { [K in OptionalKey<T>]?: Exclude<T[K], undefined> };

/** A copy of `fields` without those that are undefined, so that missing and undefined stay one thing. */
export function withoutUndefined<T extends object>(fields: T): WithoutUndefined<T> {
  const kept = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only undefined values were taken away
  return kept as WithoutUndefined<T>;
}
