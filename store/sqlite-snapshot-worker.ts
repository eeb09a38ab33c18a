import { chmodSync, closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { OrchError } from '../model/errors.ts';
import { SqliteDatabase, createPrivate, storeError } from './sqlite-database.ts';
import { packError } from './sqlite-protocol.ts';
import type { FileTask, FileTaskResult } from './sqlite-snapshot.ts';

function run(task: FileTask): void {
  if (existsSync(task.to)) throw new OrchError('ORCH_CONFLICT', `File ${task.to} already exists`);
  if (!existsSync(task.from)) throw new OrchError('ORCH_NOT_FOUND', `There is no store file ${task.from}`);
  const partial = `${task.to}.partial`;
  rmSync(partial, { force: true });
  try {
    if (task.type === 'snapshot') copyDatabase(task.from, partial);
    else restoreDatabase(task, partial);
    putInPlace(partial, task.to);
  } finally {
    for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(`${partial}${suffix}`, { force: true });
  }
}

function copyDatabase(from: string, to: string): void {
  createPrivate(to);
  using database = new DatabaseSync(from, { readOnly: true });
  database.prepare('VACUUM INTO ?').run(to);
}

function restoreDatabase({ from, nowMs }: Extract<FileTask, { type: 'restore' }>, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
  using database = new SqliteDatabase({ path: to });
  const [finding] = database.db.prepare('PRAGMA integrity_check', { returnArrays: true }).all();
  if (finding?.[0] !== 'ok') throw new OrchError('ORCH_CORRUPT', `Snapshot ${from} is damaged: ${String(finding?.[0])}`);
  database.setMeta('epoch', Math.max(database.meta('epoch') + 1, nowMs));
}

/** The file appears under its name only when all of it is on the disk. */
function putInPlace(partial: string, path: string): void {
  sync(partial);
  renameSync(partial, path);
  sync(dirname(path));
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function runReporting(task: FileTask): FileTaskResult {
  try {
    run(task);
    return { error: undefined };
  } catch (error) {
    return { error: packError(storeError(error)) };
  }
}

/** False when this file is only loaded, without work, as the warming of the compile cache does. */
const isTask = (data: unknown): data is FileTask => typeof data === 'object' && data !== null && 'from' in data;

if (isTask(workerData)) parentPort?.postMessage(runReporting(workerData));
