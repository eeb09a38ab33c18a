import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { ProgramOptions, ProgramResult, ProgramRunner } from '../../base/program-runner.ts';
import { OrchError } from '../../model/errors.ts';

/** Runs programs as children of the test itself; counts them. */
export type SpawnRunner = ProgramRunner & { readonly started: string[][] };

/** A ProgramRunner for tests and benchmarks that have no shim. */
export function spawnRunner(): SpawnRunner {
  const started: string[][] = [];
  return {
    started,
    async run(argv, options = {}) {
      started.push([...argv]);
      return await runOnce(options.netns ? ['nsenter', `--net=${options.netns}`, '--', ...argv] : argv, options);
    },
  };
}

async function runOnce([program = '', ...args]: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const child = spawn(program, args, {
    cwd: options.cwd ?? '/', env: options.env ?? { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    timeout: options.timeoutMs ?? 60_000, killSignal: 'SIGKILL', ...(options.signal ? { signal: options.signal } : {}),
  });
  child.stdin.on('error', () => { /* a program may end without reading its input */ });
  child.stdin.end(options.stdin ?? '');
  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => reject(new OrchError('ORCH_RUNTIME', `${program} could not be started`, { cause })));
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 128)));
  });
  const [exitCode, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}
