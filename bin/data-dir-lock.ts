import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, readTextIfExists, writeFileAtomic } from '../base/files.ts';
import { OrchError } from '../model/errors.ts';

/** Field 22 of /proc/PID/stat, the process's start time, counted after the command's name in brackets; empty when it does not run. */
function startTimeOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return '';
    throw error;
  }
}

/** Makes sure that no other daemon works on this directory; a daemon that was killed holds nothing. Throws ORCH_IN_USE. */
export async function lockDataDir(dataDir: string): Promise<Disposable> {
  const path = join(dataDir, 'daemon.lock');
  const [pid = '', startTime = ''] = (await readTextIfExists(path) ?? '').trim().split(' ');
  if (startTime !== '' && Number(pid) !== process.pid && startTimeOf(Number(pid)) === startTime) {
    throw new OrchError('ORCH_IN_USE', `Another daemon (pid ${pid}) uses ${dataDir}`, { hint: 'Stop it first, or give this one its own --data-dir and --run-dir' });
  }
  await writeFileAtomic(path, `${process.pid} ${startTimeOf(process.pid)}\n`);
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}
