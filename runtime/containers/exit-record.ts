import { readTextIfExists } from '../../base/files.ts';

/** What a monitor says of a run that has ended. */
export type ExitRecord = {
  readonly runNumber: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly startedAtMs: number;
  readonly exitedAtMs: number;
  /** Output that did not fit on the disk. */
  readonly logDroppedBytes: number;
};

/** The exit file of a container; undefined when its monitor has written none. */
export async function readExitRecord(path: string): Promise<ExitRecord | undefined> {
  const text = await readTextIfExists(path);
  return text === undefined ? undefined : parseExitRecord(text);
}

/** Parses the lines `key=number` of an exit file. */
export function parseExitRecord(text: string): ExitRecord {
  const values = new Map(text.split('\n').map((line): [string, string] => {
    const [key = '', value = ''] = line.split('=', 2);
    return [key, value];
  }));
  const number = (key: string): number => Number(values.get(key) ?? 0);
  const timeMs = (key: string): number => Number(BigInt(values.get(key) ?? 0) / 1_000_000n);
  return {
    runNumber: number('run'), exitCode: number('exit_code'), oomKilled: number('oom_kills') > 0,
    startedAtMs: timeMs('started_at_ns'), exitedAtMs: timeMs('exited_at_ns'), logDroppedBytes: number('log_dropped_bytes'),
  };
}
