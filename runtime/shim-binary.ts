import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { OrchError } from '../model/errors.ts';

const SHIM_FOLDER = join(import.meta.dirname, 'shim');

/**
 * Path of orch-shim. With `ready` it is that program; else the one of this source tree, which is built first when its
 * sources are newer (this needs a C compiler). Called once, before a daemon has a heap worth mentioning.
 */
export async function findShimBinary(ready?: string): Promise<string> {
  const path = ready ?? join(SHIM_FOLDER, 'build/orch-shim');
  if (ready === undefined) await build();
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    throw new OrchError('ORCH_RUNTIME', `${path} is no program that can be run`, { hint: 'Build it with runtime/shim/build.sh', cause: error });
  }
  return path;
}

async function build(): Promise<void> {
  const compiler = spawn(join(SHIM_FOLDER, 'build.sh'), { stdio: ['ignore', 'ignore', 'pipe'] });
  const [message, [code]] = await Promise.all([text(compiler.stderr), once(compiler, 'exit')]);
  if (code !== 0) throw new OrchError('ORCH_RUNTIME', `Building orch-shim failed: ${message.trim()}`, { hint: 'Install gcc and the C library\'s headers' });
}
