import { OrchError } from '../model/errors.ts';
import { completionScript, completionShells } from './completion.ts';
import type { AnyCommand, CommandContext, CommandResult } from './command.ts';
import { commandHelp, groupHelp } from './help.ts';
import { parseCommandLine } from './parse.ts';

export const DEFAULT_HOST = 'unix:///run/orch/orch.sock';

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

/** The command that the words begin with, by its path or an alias; undefined when there is none. */
export function findCommand(commands: readonly AnyCommand[], words: readonly string[]): AnyCommand | undefined {
  const matches = commands.filter((command) => command.path.every((word, index) => words[index] === word || (index === command.path.length - 1 && (command.aliases ?? []).includes(words[index] ?? ''))));
  return matches.toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** Runs one command line and returns what to print. Throws OrchError for what the user got wrong. */
export async function runCommandLine(commands: readonly AnyCommand[], words: readonly string[], context: () => CommandContext): Promise<CommandResult> {
  if (words[0] === 'help') return helpFor(commands, words.slice(1));
  if (words[0] === 'completion') return completion(commands, words[1]);
  const command = findCommand(commands, words);
  if (!command) return helpOrRefuse(commands, words);
  const parsed = parseCommandLine(command, words.slice(command.path.length));
  if (parsed.help) return commandHelp(command);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseCommandLine built the flags from this command's own table
  return command.run(context(), parsed.args, parsed.flags as never);
}

function helpFor(commands: readonly AnyCommand[], words: readonly string[]): string {
  const command = findCommand(commands, words);
  if (command) return commandHelp(command);
  if (words.length === 0 || isGroup(commands, words)) return groupHelp(commands, words);
  throw unknownCommand(commands, words);
}

const isGroup = (commands: readonly AnyCommand[], words: readonly string[]): boolean => words.length > 0 && commands.some((command) => words.every((word, index) => command.path[index] === word));

function helpOrRefuse(commands: readonly AnyCommand[], words: readonly string[]): string {
  const named = words.filter((word) => word !== '--help' && word !== '-h');
  if (named.length === 0 || isGroup(commands, named)) return groupHelp(commands, named);
  throw unknownCommand(commands, named);
}

function unknownCommand(commands: readonly AnyCommand[], words: readonly string[]): OrchError {
  const known = words.findIndex((_, index) => !isGroup(commands, words.slice(0, index + 1)));
  const prefix = words.slice(0, Math.max(known, 0));
  const word = words[prefix.length] ?? '';
  const siblings = [...new Set(commands.filter((command) => prefix.every((part, index) => command.path[index] === part)).map((command) => command.path[prefix.length] ?? ''))];
  const near = siblings.filter((sibling) => distance(sibling, word) <= 2);
  const all = `See \`${['orch', ...prefix].join(' ')} --help\``;
  if (word.startsWith('-')) return new OrchError('ORCH_USAGE', `orch has no global option ${word}`, { hint: all });
  return new OrchError('ORCH_USAGE', `"${['orch', ...prefix, word].join(' ')}" is not a command`, { hint: near.length > 0 ? `Did you mean ${near.map((name) => `\`${['orch', ...prefix, name].join(' ')}\``).join(' or ')}?` : all });
}

/** Edit distance (Levenshtein), for suggestions. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}

function completion(commands: readonly AnyCommand[], shell: string | undefined): string {
  const known = completionShells.find((candidate) => candidate === shell);
  if (known) return completionScript(known, commands);
  throw new OrchError('ORCH_USAGE', shell === undefined ? '`orch completion` needs a shell' : `There is no completion for "${shell}"`, { hint: `Write \`orch completion ${completionShells.join('|')}\`, for example \`source <(orch completion bash)\`` });
}
