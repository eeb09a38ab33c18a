import { OrchError } from '../model/errors.ts';
import { parseBytes, parseCpus, parseDurationMs } from '../model/units.ts';
import type { AnyCommand, FlagSpec } from './command.ts';

export type ParsedFlags = Readonly<Record<string, unknown>>;
export type ParsedCommandLine = { readonly args: readonly string[]; readonly flags: ParsedFlags; readonly help: boolean };

type Raw = { name: string; text: string };

/** Reads a command's own part of the command line, in GNU style: `--flag value`, `--flag=value`, `-qf`, `--`. Throws ORCH_USAGE naming the flag or argument. */
export function parseCommandLine(command: AnyCommand, words: readonly string[]): ParsedCommandLine {
  const { args, raw } = splitWords(command, words);
  if (raw.some((flag) => flag.name === 'help')) return { args, flags: {}, help: true };
  const flags = Object.fromEntries(Object.entries(command.flags).map(([name, spec]) => [name, readFlag(name, spec, raw.filter((flag) => flag.name === name).map((flag) => flag.text))]));
  checkArgs(command, args);
  return { args, flags, help: false };
}

const usageError = (command: AnyCommand, message: string): OrchError => new OrchError('ORCH_USAGE', message, { hint: `See \`orch ${command.path.join(' ')} --help\`` });

function splitWords(command: AnyCommand, words: readonly string[]): { args: string[]; raw: Raw[] } {
  const args: string[] = [];
  const raw: Raw[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (passesThrough(command, args.length, word)) args.push(word, ...queue.splice(0));
    else if (word === '--') args.push(...queue.splice(0));
    else if (word.startsWith('--')) raw.push(readLong(command, word, queue));
    else if (word.startsWith('-') && word !== '-') raw.push(...readShort(command, word, queue));
    else args.push(word);
  }
  return { args, raw };
}

/** Our own flags come before the first argument; what is passed through begins with a word. */
function passesThrough({ args }: AnyCommand, count: number, word: string): boolean {
  return args.passThroughFrom !== undefined && count >= args.passThroughFrom && (count > 0 || !word.startsWith('-'));
}

function readLong(command: AnyCommand, word: string, queue: string[]): Raw {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  if (name === 'help') return { name, text: 'true' };
  const spec = command.flags[name];
  if (!Object.hasOwn(command.flags, name) || !spec) throw usageError(command, `\`orch ${command.path.join(' ')}\` has no flag --${name}`);
  if (equals >= 0) return { name, text: word.slice(equals + 1) };
  return { name, text: takesValue(spec) ? takeValue(command, `--${name}`, queue) : 'true' };
}

/** A refused flag is refused with or without a value. */
const takesValue = (spec: FlagSpec): boolean => spec.type !== 'boolean' && spec.type !== 'toggle' && spec.type !== 'refused';

function readShort(command: AnyCommand, word: string, queue: string[]): Raw[] {
  const found: Raw[] = [];
  for (let index = 1; index < word.length; index += 1) {
    const letter = word.charAt(index);
    const entry = Object.entries(command.flags).find(([, candidate]) => candidate.short === letter);
    if (!entry && letter === 'h') return [...found, { name: 'help', text: 'true' }];
    if (!entry) throw usageError(command, `\`orch ${command.path.join(' ')}\` has no flag -${letter}`);
    const [name, spec] = entry;
    if (takesValue(spec)) {
      const rest = word.slice(index + 1).replace(/^=/, '');
      return [...found, { name, text: rest === '' ? takeValue(command, `-${letter}`, queue) : rest }];
    }
    found.push({ name, text: 'true' });
  }
  return found;
}

function takeValue(command: AnyCommand, flag: string, queue: string[]): string {
  const value = queue.shift();
  if (value === undefined) throw usageError(command, `${flag} needs a value`);
  return value;
}

/** Runs `parse` and names the flag in its error. */
function reading<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof OrchError) throw new OrchError('ORCH_USAGE', `--${name}: ${error.message}`, { hint: error.hint, cause: error });
    throw error;
  }
}

const readers: { [T in FlagSpec['type']]: (name: string, spec: Extract<FlagSpec, { type: T }>, raw: readonly string[]) => unknown } = {
  boolean: (name, _spec, raw) => readBoolean(name, raw.at(-1)) ?? false,
  toggle: (name, _spec, raw) => readBoolean(name, raw.at(-1)),
  list: (_name, _spec, raw) => raw,
  refused(name, spec, raw) {
    if (raw.length > 0) throw new OrchError('ORCH_UNSUPPORTED', `--${name} is not supported: ${spec.why}`);
    return undefined;
  },
  integer: (name, spec, raw) => readNumber(name, spec, { text: raw.at(-1), whole: true }) ?? spec.default,
  number: (name, spec, raw) => readNumber(name, spec, { text: raw.at(-1), whole: false }),
  bytes: (name, _spec, raw) => mapLast(raw, (text) => reading(name, () => parseBytes(text))),
  duration: (name, _spec, raw) => mapLast(raw, (text) => reading(name, () => parseDurationMs(text))),
  cpus: (name, _spec, raw) => mapLast(raw, (text) => reading(name, () => parseCpus(text))),
  choice(name, spec, raw) {
    const value = raw.at(-1) ?? spec.default;
    if (value === undefined || spec.choices.includes(value)) return value;
    const why = Object.hasOwn(spec.refused ?? {}, value) ? spec.refused?.[value] : undefined;
    if (why !== undefined) throw new OrchError('ORCH_UNSUPPORTED', `--${name} ${value} is not supported: ${why}`);
    throw new OrchError('ORCH_USAGE', `--${name} must be one of ${spec.choices.join(', ')}, not "${value}"`);
  },
  string(name, spec, raw) {
    const value = raw.at(-1) ?? spec.default;
    if (value === undefined && spec.required) throw new OrchError('ORCH_USAGE', `--${name} is required`);
    return value;
  },
};

const mapLast = <T>(raw: readonly string[], parse: (text: string) => T): T | undefined => {
  const last = raw.at(-1);
  return last === undefined ? undefined : parse(last);
};

function readFlag(name: string, spec: FlagSpec, raw: readonly string[]): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key pairs the reader with its flag type
  const read = readers[spec.type] as (name: string, spec: FlagSpec, raw: readonly string[]) => unknown;
  return read(name, spec, raw);
}

function readBoolean(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1') return true;
  throw new OrchError('ORCH_USAGE', `--${name} is true or false, not "${text}"`);
}

function readNumber(name: string, spec: { min?: number; max?: number }, options: { text: string | undefined; whole: boolean }): number | undefined {
  if (options.text === undefined) return undefined;
  const value = options.text.trim() === '' ? Number.NaN : Number(options.text);
  const isNumber = options.whole ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (isNumber && value >= (spec.min ?? -Infinity) && value <= (spec.max ?? Infinity)) return value;
  throw new OrchError('ORCH_USAGE', `--${name} must be a ${options.whole ? 'whole ' : ''}number${describeRange(spec)}, not "${options.text}"`);
}

function describeRange({ min, max }: { min?: number; max?: number }): string {
  const parts = [...(min === undefined ? [] : [`at least ${min}`]), ...(max === undefined ? [] : [`at most ${max}`])];
  return parts.length === 0 ? '' : ` of ${parts.join(' and ')}`;
}

function checkArgs(command: AnyCommand, args: readonly string[]): void {
  const { usage } = command.args;
  const required = usage.filter((word) => !word.startsWith('[')).length;
  const many = usage.some((word) => word.includes('...'));
  const name = `\`orch ${command.path.join(' ')}\``;
  if (args.length < required) throw usageError(command, `${name} needs ${usage.filter((word) => !word.startsWith('['))[args.length] ?? 'an argument'}`);
  if (!many && args.length > usage.length) throw usageError(command, usage.length === 0 ? `${name} takes no arguments, but "${args[0] ?? ''}" was given` : `${name} takes only ${usage.join(' ')}, but "${args[usage.length] ?? ''}" was given too`);
}
