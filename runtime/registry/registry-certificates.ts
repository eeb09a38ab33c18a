import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../base/files.ts';
import type { TlsIdentity } from './http-client.ts';

/**
 * Certificates that an administrator has laid down for one registry, as Docker reads them: in `<directory>/<host:port>/`,
 * every `*.crt` is a CA to trust, and `*.cert` with `*.key` is who we are. Undefined when there is no such directory.
 */
export async function readRegistryCertificates(directory: string, host: string): Promise<TlsIdentity | undefined> {
  const own = join(directory, host);
  const names = await listNames(own);
  if (names === undefined) return undefined;
  const read = async (suffix: string): Promise<string[]> => await Promise.all(names.filter((name) => name.endsWith(suffix)).map((name) => readFile(join(own, name), 'utf8')));
  const [ca, [cert], [key]] = await Promise.all([read('.crt'), read('.cert'), read('.key')]);
  return { ...(ca.length > 0 && { ca: ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
}

async function listNames(directory: string): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
