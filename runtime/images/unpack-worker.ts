import { closeSync, openSync, rmSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { errorMessage, isOrchError } from '../../model/errors.ts';
import { syncFileSystem } from './libc.ts';
import { unpackLayer } from './unpack-layer.ts';
import type { FromWorker, SerializedError, ToWorker, UnpackResult, WorkerTask } from './unpack-protocol.ts';

/** Entry point of the worker thread: one task after the other, because they block the thread in system calls. */

const PROGRESS_STEP_BYTES = 4 * 1024 * 1024;
const port = parentPort;
if (port === null) throw new Error('unpack-worker.ts only runs as a worker thread');

const running = new Map<number, AbortController>();
const post = (message: FromWorker): void => port.postMessage(message);

port.on('message', (message: ToWorker) => {
  if (message.kind === 'cancel') running.get(message.id)?.abort();
  else void start(message.id, message.task);
});

async function start(id: number, task: WorkerTask): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    const result = await perform(task, abort.signal, id);
    post(result === undefined ? { kind: 'done', id } : { kind: 'done', id, result });
  } catch (error) {
    post(abort.signal.aborted ? { kind: 'cancelled', id } : { kind: 'failed', id, error: serialize(error) });
  } finally {
    running.delete(id);
  }
}

async function perform(task: WorkerTask, signal: AbortSignal, id: number): Promise<UnpackResult | undefined> {
  if (task.kind === 'remove') rmSync(task.directory, { recursive: true, force: true });
  else if (task.kind === 'sync') sync(task.directory);
  else {
    let posted = 0;
    return await unpackLayer(task.request, { signal, onProgress(readBytes) {
      if (readBytes - posted < PROGRESS_STEP_BYTES) return;
      posted = readBytes;
      post({ kind: 'progress', id, readBytes });
    } });
  }
  return undefined;
}

function sync(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    syncFileSystem(fd);
  } finally {
    closeSync(fd);
  }
}

function serialize(error: unknown): SerializedError {
  if (!isOrchError(error)) return { code: 'ORCH_RUNTIME', message: errorMessage(error), details: {} };
  return { code: error.code, message: error.message, details: error.details, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
