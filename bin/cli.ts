import { once } from 'node:events';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import type { CommandContext, CommandResult } from '../cli/command.ts';
import { commands } from '../cli/commands.ts';
import { openApiClient, parseApiAddress } from '../cli/http-client.ts';
import { runCommandLine, splitGlobalOptions } from '../cli/main.ts';
import { withTableCommands } from '../cli/table-commands.ts';
import { OrchError, errorCodes } from '../model/errors.ts';
import { daemonCommand } from './daemon-options.ts';
import { labCommands } from './lab-commands.ts';

/** For help and completion; bin/orch.ts runs the daemon when it is the first word. */
const daemonEntry = { ...daemonCommand, run: () => Promise.reject(new OrchError('ORCH_USAGE', 'No option may stand before `orch daemon`', { hint: 'It serves a socket and talks to none: leave -H out' })) };

/** Every command of the program. */
export const commandTable = withTableCommands([...commands, ...labCommands, daemonEntry]);

const INTERRUPTED_EXIT = 130;
const DEFAULT_COLUMNS = 80;

/** Runs one command line, prints what it returns, and resolves with the exit code of the error table. */
export async function runCli(words: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(new Error('interrupted')));
  process.stdout.on('error', exitOnBrokenPipe);
  try {
    const { host, words: rest } = splitGlobalOptions(words, process.env['ORCH_HOST']);
    await print(await runCommandLine(commandTable, rest, () => makeContext(host, interrupt.signal)));
    return 0;
  } catch (error) {
    if (interrupt.signal.aborted) return INTERRUPTED_EXIT;
    return reportError(error);
  }
}

function exitOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0); // the reader, such as head(1), has seen enough
  throw error;
}

function makeContext(host: string, signal: AbortSignal): CommandContext {
  return {
    client: openApiClient(parseApiAddress(host)), clock: systemClock, random: systemRandom, signal,
    terminal: { stdoutIsTerminal: process.stdout.isTTY, stderrIsTerminal: process.stderr.isTTY, columns: process.stdout.columns || DEFAULT_COLUMNS },
    environmentVariable: (name) => process.env[name],
    stdin: () => process.stdin,
  };
}

async function print(result: CommandResult): Promise<void> {
  if (result === undefined) return;
  if (typeof result === 'string') {
    await write(process.stdout, result === '' || result.endsWith('\n') ? result : `${result}\n`);
    return;
  }
  for await (const chunk of result) await write(chunk.to === 'stdout' ? process.stdout : process.stderr, chunk.bytes);
}

async function write(stream: NodeJS.WriteStream, bytes: string | Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain');
}

/** Prints the sentence and the hint; an error that is not the user's shows its stack, because it is a bug of ours. */
function reportError(error: unknown): number {
  if (error instanceof OrchError) {
    console.error(`orch: ${error.message}`);
    if (error.hint !== undefined) console.error(`  hint: ${error.hint}`);
    return errorCodes[error.code].exit;
  }
  console.error('orch: this is a bug in orch');
  console.error(error);
  return errorCodes.ORCH_INTERNAL.exit;
}
