import { enableCompileCache } from 'node:module';

enableCompileCache();
const [first] = process.argv.slice(2);
if (first === 'daemon') {
  const { runDaemon } = await import('./daemon.ts');
  await runDaemon(process.argv.slice(3));
} else {
  const { runCli } = await import('./cli.ts');
  process.exitCode = await runCli(process.argv.slice(2));
}
