import { OrchError } from '../model/errors.ts';
import type { AnyCommand } from './command.ts';
import { commandHelp, groupHelp } from './help.ts';

/** The command that the words begin with, by its path or an alias; undefined when there is none. */
export function findCommand(commands: readonly AnyCommand[], words: readonly string[]): AnyCommand | undefined {
  const matches = commands.filter((command) => command.path.every((word, index) => words[index] === word || (index === command.path.length - 1 && (command.aliases ?? []).includes(words[index] ?? ''))));
  return matches.toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** The help text of the command or group that the words name, of orch when there are none. Throws ORCH_USAGE with a suggestion when there is no such command. */
export function helpText(commands: readonly AnyCommand[], words: readonly string[]): string {
  const command = findCommand(commands, words);
  if (command) return commandHelp(command);
  if (words.length === 0 || isGroup(commands, words)) return groupHelp(commands, words);
  throw unknownCommand(commands, words);
}

const isGroup = (commands: readonly AnyCommand[], words: readonly string[]): boolean => words.length > 0 && commands.some((command) => words.every((word, index) => command.path[index] === word));

function unknownCommand(commands: readonly AnyCommand[], words: readonly string[]): OrchError {
  const known = words.findIndex((_, index) => !isGroup(commands, words.slice(0, index + 1)));
  const prefix = words.slice(0, Math.max(known, 0));
  const word = words[prefix.length] ?? '';
  const siblings = [...new Set(commands.filter((command) => prefix.every((part, index) => command.path[index] === part)).flatMap((command) => [command.path[prefix.length] ?? '', ...(command.path.length === prefix.length + 1 ? command.aliases ?? [] : [])]))];
  const near = siblings.filter((sibling) => distance(sibling, word) <= 2);
  const all = `See \`${['orch', ...prefix].join(' ')} --help\``;
  if (word.startsWith('-')) return new OrchError('ORCH_USAGE', prefix.length === 0 ? `orch has no global option ${word}` : `\`orch ${prefix.join(' ')}\` has no flag ${word}`, { hint: all });
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
