/** Something with the time of a log record: RFC 3339 with up to nanoseconds, in UTC. */
export type Timed = { readonly time: string };

/** Takes records from sources that are each in the order of time, and yields all of them in that order. `take` gives a source's next record, undefined at its end. */
export async function* mergeByTime<T extends Timed>(sources: Iterable<{ take(): Promise<T | undefined> }>): AsyncIterable<T> {
  const heads = (await Promise.all(Array.from(sources, async (source) => ({ source, record: await source.take() })))).filter((head) => head.record !== undefined);
  while (heads.length > 0) {
    const first = heads.reduce((earliest, head) => compareTimes(head.record?.time ?? '', earliest.record?.time ?? '') < 0 ? head : earliest);
    if (first.record) yield first.record;
    first.record = await first.source.take();
    if (!first.record) heads.splice(heads.indexOf(first), 1);
  }
}

/** Negative when `a` is earlier; fractions of a second may have any number of digits. */
export function compareTimes(a: string, b: string): number {
  const left = sortable(a);
  const right = sortable(b);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

const sortable = (time: string): string => {
  const [, seconds = time, fraction = ''] = /^([^.Z]*)(?:\.(\d+))?Z?$/.exec(time) ?? [];
  return `${seconds}.${fraction.padEnd(9, '0')}`;
};
