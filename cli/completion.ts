import type { AnyCommand } from './command.ts';

export const completionShells = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof completionShells)[number];

/** A completion script generated from the command table. */
export function completionScript(shell: CompletionShell, commands: readonly AnyCommand[]): string {
  switch (shell) {
    case 'bash': return bashScript(commands);
    case 'zsh': return `#compdef orch\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`;
    case 'fish': return fishScript(commands);
  }
}

/** Words that may follow each prefix of a command's path. */
function wordsAfter(commands: readonly AnyCommand[]): Map<string, Set<string>> {
  const words = new Map<string, Set<string>>();
  for (const { path } of commands) {
    path.forEach((word, index) => {
      const prefix = path.slice(0, index).join(' ');
      words.set(prefix, (words.get(prefix) ?? new Set()).add(word));
    });
  }
  return words;
}

const flagsOf = (command: AnyCommand): string[] => [...Object.entries(command.flags).flatMap(([name, spec]) => spec.type === 'refused' ? [] : [`--${name}`]), '--help'];

function bashScript(commands: readonly AnyCommand[]): string {
  const words = [...wordsAfter(commands)].map(([prefix, next]) => `    '${prefix}') words='${[...next].join(' ')}' ;;`);
  const flags = commands.map((command) => `    '${command.path.join(' ')}') flags='${flagsOf(command).join(' ')}' ;;`);
  return `_orch() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= words= flags= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case $path in
${words.join('\n')}
  esac
  case $path in
${flags.join('\n')}
  esac
  while [ -z "$flags" ] && [ "\${path% *}" != "$path" ]; do
    path=\${path% *}
    case $path in
${flags.join('\n')}
    esac
  done
  case $current in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -o default -F _orch orch
`;
}

function fishScript(commands: readonly AnyCommand[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = ['complete -c orch -f'];
  const seen = new Set<string>();
  for (const command of commands) {
    command.path.forEach((word, index) => {
      const prefix = command.path.slice(0, index);
      const key = [...prefix, word].join(' ');
      if (seen.has(key)) return;
      seen.add(key);
      const condition = index === 0 ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${prefix.join(' ')}`;
      const summary = index === command.path.length - 1 ? ` -d ${quote(command.summary)}` : '';
      lines.push(`complete -c orch -n ${quote(condition)} -a ${quote(word)}${summary}`);
    });
    for (const [name, spec] of Object.entries(command.flags)) {
      if (spec.type !== 'refused') lines.push(`complete -c orch -n ${quote(`__fish_seen_subcommand_from ${command.path.at(-1) ?? ''}`)} -l ${name} -d ${quote(spec.help)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
