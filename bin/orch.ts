import { flushCompileCache } from 'node:module';

// bin/orch has set NODE_COMPILE_CACHE.
const [first] = process.argv.slice(2);
if (first === 'daemon') {
  const { runDaemon } = await import('./daemon.ts');
  flushCompileCache(); // a daemon that is killed would write none
  await runDaemon(process.argv.slice(3));
} else if (first === 'warm-cache' || first === 'warm-daemon-cache') { // for deploy/setup.sh
  const { warmCache } = await import('./warm-cache.ts');
  await warmCache(first === 'warm-cache' ? 'command' : 'daemon');
} else {
  const { runCli } = await import('./cli.ts');
  process.exitCode = await runCli(process.argv.slice(2));
}
