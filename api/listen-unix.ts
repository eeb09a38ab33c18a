import { lstat, mkdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { isErrno } from '../base/files.ts';
import { OrchError } from '../model/errors.ts';

/** Everything but read and write for owner and group is taken away: mode 0660. */
const SOCKET_UMASK = 0o117;

/** Listens on a unix socket of mode 0660. A socket that nobody answers on is replaced. Throws ORCH_IN_USE when a daemon answers there, ORCH_INVALID when the path is another kind of file. */
export async function listenUnix(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await removeStaleSocket(path);
  const listening = once(server, 'listening');
  // The socket is made inside this call, so no other file of the process gets this mask.
  const umask = process.umask(SOCKET_UMASK);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await listening;
}

async function removeStaleSocket(path: string): Promise<void> {
  const file = await lstat(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!file) return;
  if (!file.isSocket()) throw new OrchError('ORCH_INVALID', `Cannot listen on ${path}: it is there and is not a socket`);
  if (await answers(path)) throw new OrchError('ORCH_IN_USE', `Another daemon is listening on ${path}`, { hint: 'Stop it first, or give this one its own --run-dir' });
  await rm(path, { force: true });
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (isErrno(error, 'ECONNREFUSED') || isErrno(error, 'ENOENT')) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
