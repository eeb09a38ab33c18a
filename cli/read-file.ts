import { readFile } from 'node:fs/promises';
import { isErrno } from '../base/files.ts';
import { OrchError } from '../model/errors.ts';

const reasons = { ENOENT: 'there is no such file', EACCES: 'you may not read it', EISDIR: 'it is a directory', ENOTDIR: 'there is no such file' } as const;

/** Text of a file that the user names by a flag. Throws ORCH_USAGE naming flag and file when it can't be read. */
export async function readNamedFile(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason = Object.entries(reasons).find(([code]) => isErrno(error, code))?.[1];
    if (reason === undefined) throw error;
    throw new OrchError('ORCH_USAGE', `--${flag}: cannot read ${path}: ${reason}`, { cause: error });
  }
}
