import { OrchError } from '../model/errors.ts';
import type { AnyCommand } from './command.ts';
import { defineCommand } from './command.ts';
import { completionScript, completionShells } from './completion.ts';
import { helpText } from './find-command.ts';

/** The table with the commands that are about the table itself, `completion` and `help`, at its end. */
export function withTableCommands(commands: readonly AnyCommand[]): readonly AnyCommand[] {
  const all: AnyCommand[] = [...commands, completionCommand(() => all), helpCommand(() => all)];
  return all;
}

const completionCommand = (all: () => readonly AnyCommand[]) => defineCommand({
  path: ['completion'], summary: 'Print a script that completes commands and flags in your shell',
  args: { usage: [completionShells.join('|')], choices: completionShells }, flags: {},
  examples: ['source <(orch completion bash)', 'orch completion bash > /etc/bash_completion.d/orch', 'orch completion fish > ~/.config/fish/completions/orch.fish'],
  run(_context, [shell]) {
    const known = completionShells.find((candidate) => candidate === shell);
    if (known === undefined) throw new OrchError('ORCH_USAGE', `There is no completion for "${shell ?? ''}"`, { hint: `Write \`orch completion ${completionShells.join('|')}\`` });
    return Promise.resolve(completionScript(known, all()));
  },
});

const helpCommand = (all: () => readonly AnyCommand[]) => defineCommand({
  path: ['help'], summary: 'Show what a command does and the flags it takes', args: { usage: ['[COMMAND...]'] }, flags: {},
  examples: ['orch help service create'],
  run: (_context, words) => Promise.resolve(helpText(all(), words)),
});
