import type { AnyCommand, FlagSpec } from './command.ts';

const COLUMN_GAP = 3;

/** Flags and arguments in one line: `orch service create [OPTIONS] IMAGE [COMMAND] [ARG...]`. */
function usageLine(command: AnyCommand): string {
  const options = Object.keys(command.flags).length > 0 ? ['[OPTIONS]'] : [];
  return ['orch', ...command.path, ...options, ...command.args.usage].join(' ');
}

/** The help text of one command. */
export function commandHelp(command: AnyCommand): string {
  const flags = Object.entries(command.flags).toSorted(([a], [b]) => a.localeCompare(b));
  const supported = flags.filter(([, spec]) => spec.type !== 'refused');
  const refused = flags.filter(([, spec]) => spec.type === 'refused');
  return [
    `Usage:  ${usageLine(command)}`, '', command.summary,
    ...(command.description === undefined ? [] : ['', command.description]),
    ...section('Aliases', (command.aliases ?? []).map((alias) => ['orch', ...command.path.slice(0, -1), alias].join(' '))),
    ...section('Options', columns(supported.map(([name, spec]) => [flagLabel(name, spec), flagText(spec)]))),
    ...section('Not supported', columns(refused.map(([name, spec]) => [`    --${name}`, spec.type === 'refused' ? spec.why : '']))),
    ...section('Examples', command.examples ?? []),
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): string[] => lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];

/** `-q, --quiet` or `    --name string`. */
function flagLabel(name: string, spec: FlagSpec): string {
  const value = spec.value ?? (spec.type === 'choice' ? spec.choices.join('|') : valueNames[spec.type]);
  return `${spec.short === undefined ? '    ' : `-${spec.short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

/** What a flag's argument is called unless the flag says so itself; those without one take none. */
const valueNames: Readonly<Partial<Record<FlagSpec['type'], string>>> = { string: 'TEXT', list: 'TEXT', integer: 'NUMBER', number: 'NUMBER', bytes: 'SIZE', duration: 'DURATION', cpus: 'CPUS' };

function flagText(spec: FlagSpec): string {
  const fallback = 'default' in spec && spec.default !== undefined && spec.default !== '' ? ` (default ${spec.default})` : '';
  return `${spec.help}${fallback}`;
}

/** Left-aligned columns; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => { widths[index] = Math.max(widths[index] ?? 0, cell.length); });
  return rows.map((row) => row.map((cell, index) => index === row.length - 1 ? cell : cell.padEnd((widths[index] ?? 0) + COLUMN_GAP)).join('').trimEnd());
}

/** The help text of `orch`, or of a group such as `orch service`. */
export function groupHelp(commands: readonly AnyCommand[], prefix: readonly string[]): string {
  const inside = commands.filter((command) => prefix.every((word, index) => command.path[index] === word));
  const groups = new Map<string, string[]>();
  const single: string[][] = [];
  for (const command of inside) {
    const [word = '', ...rest] = command.path.slice(prefix.length);
    if (rest.length === 0) single.push([word, command.summary]);
    else groups.set(word, [...(groups.get(word) ?? []), rest.join(' ')]);
  }
  return [
    `Usage:  ${['orch', ...prefix].join(' ')} COMMAND`,
    ...(prefix.length === 0 ? ['', 'A container orchestrator: one program that is command line, manager and agent.'] : []),
    ...section('Commands', columns(single.toSorted(([a = ''], [b = '']) => a.localeCompare(b)))),
    ...section('Groups', columns([...groups].toSorted(([a], [b]) => a.localeCompare(b)).map(([word, names]) => [word, names.join(', ')]))),
    ...(prefix.length === 0 ? section('Global options', columns([['-H, --host ADDRESS', 'Daemon to talk to: unix:///PATH or tcp://HOST:PORT (default "unix:///run/orch/orch.sock", environment ORCH_HOST)']])) : []),
    '', `Run \`${['orch', ...prefix].join(' ')} COMMAND --help\` for more of a command.`,
  ].join('\n');
}
