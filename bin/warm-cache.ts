import { once } from 'node:events';
import { globSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

const root = join(import.meta.dirname, '..');
const PROGRAM = '{agent,api,base,bin,cli,deploy,manager,model,network,proto,runtime,scheduler,store}/**/*.ts';
const isOfTheProgram = (path: string): boolean => !/\.d\.ts$|\.test\.ts$|(^|\/)(testing|fake)[^/]*$|^bin\/orch\.ts$/.test(path);

/**
 * Fills the compile cache with every module of the program, so that the first daemon starts as quickly as the next and never loads
 * Node's type stripper (27 MB, and as much again in each thread). Runs under bin/orch, because the cache depends on Node's flags.
 */
export async function warmCache(): Promise<void> {
  const urls = globSync(PROGRAM, { cwd: root }).filter(isOfTheProgram).toSorted().map((path) => pathToFileURL(join(root, path)).href);
  const isThread = (url: string): boolean => url.endsWith('-worker.ts');
  for (const url of urls.filter((candidate) => !isThread(candidate))) await import(url);
  flushCompileCache(); // the threads find in it what they share with the rest
  for (const url of urls.filter(isThread)) await loadInThread(url);
}

/** Loads the entry point of a thread as it is loaded in earnest, and ends the thread before it has work. Throws what loading throws. */
async function loadInThread(url: string): Promise<void> {
  const thread = new Worker('import(require("node:worker_threads").workerData).then(() => process.exit())', { eval: true, workerData: url });
  await once(thread, 'exit');
}
