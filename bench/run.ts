import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

// Runs the benchmarks one after the other; what each prints also goes to bench/results/NAME.json. `npm run bench [NAME...]`
// Those of clusters and containers need root.

const programs: Readonly<Record<string, readonly string[]>> = {
  'store-commits': ['bench/store/commits.ts'],
  'store-load': ['bench/store/load.ts'],
  'store-updates': ['bench/store/updates.ts'],
  'scheduler-decision': ['--expose-gc', 'bench/scheduler/decision.ts'],
  'start-up': ['bench/start-up/run.ts'],
  idle: ['bench/idle/run.ts'],
  runtime: ['bench/runtime/start.ts'],
  network: ['bench/network/attach.ts'],
  images: ['bench/images/unpack.ts'],
  agent: ['bench/agent/start.ts'],
  cluster: ['bench/cluster/run.ts'],
};

const results = join(import.meta.dirname, 'results');

function runOne(name: string, args: readonly string[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, '..'), stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.pipe(createWriteStream(join(results, `${name}.json`)));
  child.stdout.pipe(process.stdout, { end: false });
  child.on('close', (code) => resolve(code ?? 128));
  return promise;
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(programs, name));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}"; there are ${Object.keys(programs).join(', ')}`);
  process.exit(2);
}
await mkdir(results, { recursive: true });
for (const [name, args] of Object.entries(programs)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`=== ${name}`);
  if (await runOne(name, args) !== 0) process.exitCode = 1;
}
