import { spawn } from 'node:child_process';
import { OrchError } from '../../model/errors.ts';

export type ProgramResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end; `input` goes to its standard input. The lab is a tool of its own: it may spawn, the daemon may not. */
export async function runProgram(argv: readonly string[], input = ''): Promise<ProgramResult> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  child.on('error', reject);
  child.on('close', (code) => resolve(code ?? 128));
  child.stdin.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') reject(error); }); // a program may end without reading
  child.stdin.end(input);
  return { exitCode: await promise, stdout, stderr };
}

/** Runs a program that must succeed; throws ORCH_RUNTIME with its own words when it does not. */
export async function runOrThrow(argv: readonly string[], input = ''): Promise<string> {
  const result = await runProgram(argv, input);
  if (result.exitCode !== 0) throw new OrchError('ORCH_RUNTIME', `\`${argv.join(' ')}\` failed: ${(result.stderr || result.stdout).trim() || `exit ${result.exitCode}`}`);
  return result.stdout;
}
