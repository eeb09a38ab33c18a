import { ORCH_VERSION } from '../base/version.ts';
import { OrchError } from '../model/errors.ts';
import type { AnyCommand, CommandContext, CommandResult } from './command.ts';
import { findCommand, helpText } from './find-command.ts';
import { commandHelp } from './help.ts';
import { parseCommandLine } from './parse.ts';

const DEFAULT_HOST = 'unix:///run/orch/orch.sock';

/** The words after global options, and the daemon to talk to. Throws ORCH_USAGE. */
export function splitGlobalOptions(words: readonly string[], environmentHost: string | undefined): { host: string; words: readonly string[] } {
  let host = environmentHost ?? DEFAULT_HOST;
  let index = 0;
  for (; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '-H' || word === '--host') {
      const value = words[index + 1];
      if (value === undefined) throw new OrchError('ORCH_USAGE', `${word} needs a value`, { hint: 'Such as unix:///run/orch/orch.sock' });
      host = value;
      index += 1;
    } else if (word.startsWith('--host=')) host = word.slice('--host='.length);
    else break;
  }
  return { host, words: words.slice(index) };
}

/** Runs one command line and returns what to print; the table is one that `withTableCommands` made. Throws OrchError for what the user got wrong. */
export async function runCommandLine(commands: readonly AnyCommand[], words: readonly string[], context: () => CommandContext): Promise<CommandResult> {
  if (words[0] === '--version' || words[0] === '-v') return `orch version ${ORCH_VERSION}`;
  const command = findCommand(commands, words);
  if (!command) return helpText(commands, words.filter((word) => word !== '--help' && word !== '-h'));
  const parsed = parseCommandLine(command, words.slice(command.path.length));
  if (parsed.help) return commandHelp(command);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseCommandLine built the flags from this command's own table
  return command.run(context(), parsed.args, parsed.flags as never);
}
