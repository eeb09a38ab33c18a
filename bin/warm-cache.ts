import { once } from 'node:events';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

const root = join(import.meta.dirname, '..');
/** What a process of the program may load, now or later. */
const programs = {
  command: ['{base,cli,deploy,model}/**/*.ts', 'bin/cli.ts'],
  daemon: ['{agent,api,base,manager,model,network,proto,runtime,scheduler,store}/**/*.ts', 'bin/{daemon,manager-part}.ts'],
};
const isForTests = (path: string): boolean => /\.d\.ts$|\.test\.ts$|(^|\/)(testing|fake)[^/]*$/.test(path);

/**
 * Fills the compile cache with the modules of a program, so that its first start is as quick as the next and never loads Node's
 * type stripper (27 MB, and as much again in each thread). bin/orch gives it Node's flags of that program, because the cache depends on them.
 */
export async function warmCache(program: keyof typeof programs): Promise<void> {
  const paths = globSync(programs[program], { cwd: root }).filter((path) => !isForTests(path)).toSorted();
  const urls = paths.map((path) => pathToFileURL(join(root, path)).href);
  const isThread = (url: string): boolean => url.endsWith('-worker.ts');
  await loadInThread(urls.filter((url) => !isThread(url)));
  for (const url of urls.filter(isThread)) await loadInThread([url]);
}

const LOADER = `
  const urls = require('node:worker_threads').workerData;
  (async () => { for (const url of urls) await import(url); process.exit(); })();
`;

/** Loads modules, entry points of threads among them, and ends the thread before it has work; what it compiled is written then. Throws what loading throws. */
async function loadInThread(urls: readonly string[]): Promise<void> {
  const thread = new Worker(LOADER, { eval: true, workerData: urls });
  await once(thread, 'exit');
}
