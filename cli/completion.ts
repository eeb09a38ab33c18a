import type { AnyCommand, FlagSpec } from './command.ts';

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

/** Words that may follow each prefix of a command's path, and the path itself where the first argument is one of a few words. */
function wordsAfter(commands: readonly AnyCommand[]): Map<string, Set<string>> {
  const words = new Map<string, Set<string>>();
  const add = (prefix: readonly string[], word: string): void => {
    const key = prefix.join(' ');
    words.set(key, (words.get(key) ?? new Set()).add(word));
  };
  for (const { path, args } of commands) {
    path.forEach((word, index) => add(path.slice(0, index), word));
    for (const word of args.choices ?? []) add(path, word);
  }
  return words;
}

const flagsOf = (command: AnyCommand): string[] => [...Object.entries(command.flags).flatMap(([name, spec]) => spec.type === 'refused' ? [] : [`--${name}`]), '--help'];

/** `case` lines for flags whose value is one of a few words. */
const choiceCases = (command: AnyCommand): string[] => Object.entries(command.flags).flatMap(([name, spec]) =>
  spec.type === 'choice' ? [`    '${command.path.join(' ')} --${name}') words='${spec.choices.join(' ')}' ;;`] : []);

function bashScript(commands: readonly AnyCommand[]): string {
  const words = [...wordsAfter(commands)].map(([prefix, next]) => `    '${prefix}') words='${[...next].join(' ')}' ;;`);
  const flags = commands.map((command) => `    '${command.path.join(' ')}') flags='${flagsOf(command).join(' ')}' ;;`);
  return `_orch() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path= words= flags= word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case $word in -H|--host) ((index++)) ;; -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case $path in
${words.join('\n')}
  esac
  while :; do
    case $path in
${flags.join('\n')}
    esac
    [ -n "$flags" ] || [ "\${path% *}" = "$path" ] && break
    path=\${path% *}
  done
  case "$path $previous" in
${commands.flatMap(choiceCases).join('\n')}
  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "\${flags:---host --help --version}" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -o default -F _orch orch
`;
}

function fishScript(commands: readonly AnyCommand[]): string {
  const lines = ['complete -c orch -f'];
  const groups = [...new Set(commands.flatMap(({ path }) => path.length > 1 ? path.slice(0, 1) : []))];
  const rule = (condition: string, rest: string): void => { if (!lines.includes(`complete -c orch -n ${fishQuote(condition)} ${rest}`)) lines.push(`complete -c orch -n ${fishQuote(condition)} ${rest}`); };
  for (const group of groups) rule('__fish_use_subcommand', `-a ${group}`);
  for (const { path, summary, flags, args } of commands) {
    const [first = '', last] = path;
    const after = last === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${first}`;
    // `ps` alone is another command than `service ps`
    const inside = last === undefined ? `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${groups.join(' ')}` : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${last}`;
    rule(after, `-a ${path.at(-1) ?? ''} -d ${fishQuote(summary)}`);
    for (const word of args.choices ?? []) rule(inside, `-a ${word}`);
    for (const [name, spec] of Object.entries(flags)) if (spec.type !== 'refused') rule(inside, fishFlag(name, spec));
  }
  return `${lines.join('\n')}\n`;
}

function fishFlag(name: string, spec: FlagSpec): string {
  const values = spec.type === 'choice' ? ` -x -a ${fishQuote(spec.choices.join(' '))}` : '';
  return `-l ${name}${spec.short === undefined ? '' : ` -s ${spec.short}`}${values} -d ${fishQuote(spec.help)}`;
}

const fishQuote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
