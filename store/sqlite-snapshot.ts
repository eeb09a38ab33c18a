import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { type PackedError, unpackError } from './sqlite-protocol.ts';

/** What the thread is to do. */
export type FileTask =
  | { readonly type: 'snapshot'; readonly from: string; readonly to: string }
  | { readonly type: 'restore'; readonly from: string; readonly to: string; readonly nowMs: number };

/** Undefined when it was done. */
export type FileTaskResult = { readonly error: PackedError | undefined };

/** Copies the database at `path`, which may be in use, to the new file `to`: all that was committed before the call. Throws ORCH_CONFLICT when `to` exists. */
export function writeSnapshot(path: string, to: string): Promise<void> { return runTask({ type: 'snapshot', from: path, to }); }

/**
 * Makes the database file `path` from a snapshot, under a new epoch; open it with `openSqliteBackend`.
 * Throws ORCH_NOT_FOUND when there is no snapshot, ORCH_CORRUPT when it is damaged, ORCH_CONFLICT when `path` exists.
 */
export function restoreSqlite({ snapshot, path, clock }: { snapshot: string; path: string; clock: Clock }): Promise<void> {
  return runTask({ type: 'restore', from: snapshot, to: path, nowMs: clock.now() });
}

/** In a thread of its own: copying takes a third of a second per 100 MB, in which commits go on. */
async function runTask(task: FileTask): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(new URL('./sqlite-snapshot-worker.ts', import.meta.url), { workerData: task });
  let outcome: FileTaskResult | undefined;
  worker.on('message', (result: FileTaskResult) => { outcome = result; });
  worker.on('error', reject);
  worker.on('exit', (exitCode) => {
    if (!outcome) reject(new Error(`the snapshot thread ended with exit code ${exitCode}`));
    else if (outcome.error) reject(unpackError(outcome.error));
    else resolve();
  });
  return promise;
}
