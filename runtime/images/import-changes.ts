import { OrchError } from '../../model/errors.ts';

/** The `config` part of an OCI image configuration, as it is written. */
export type ConfigDraft = {
  User?: string;
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, object>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
};

const SHELL = ['/bin/sh', '-c'];

const instructions: Readonly<Record<string, (draft: ConfigDraft, argument: string, line: string) => void>> = {
  CMD: (draft, argument, line) => { draft.Cmd = parseCommand(argument, line); },
  ENTRYPOINT: (draft, argument, line) => { draft.Entrypoint = parseCommand(argument, line); },
  ENV: (draft, argument, line) => {
    for (const [name, value] of parsePairs(argument, line)) draft.Env = [...(draft.Env ?? []).filter((entry) => !entry.startsWith(`${name}=`)), `${name}=${value}`];
  },
  LABEL: (draft, argument, line) => { draft.Labels = { ...draft.Labels, ...Object.fromEntries(parsePairs(argument, line)) }; },
  WORKDIR: (draft, argument, line) => {
    if (!argument.startsWith('/')) throw invalid(line, 'the directory must begin with a slash');
    draft.WorkingDir = argument;
  },
  USER: (draft, argument) => { draft.User = argument; },
  EXPOSE: (draft, argument, line) => {
    for (const port of argument.split(/\s+/)) draft.ExposedPorts = { ...draft.ExposedPorts, [parsePort(port, line)]: {} };
  },
  VOLUME: (draft, argument, line) => {
    const paths = argument.startsWith('[') ? parseJsonList(argument, line) : argument.split(/\s+/);
    for (const path of paths) draft.Volumes = { ...draft.Volumes, [path]: {} };
  },
  STOPSIGNAL: (draft, argument, line) => {
    if (!/^(?:SIG[A-Z0-9+-]+|\d{1,2})$/.test(argument)) throw invalid(line, 'write a signal such as SIGTERM');
    draft.StopSignal = argument;
  },
};

/** Applies Dockerfile lines to an empty configuration. Throws ORCH_INVALID naming the line that is none of CMD ENTRYPOINT ENV LABEL WORKDIR USER EXPOSE VOLUME STOPSIGNAL or is malformed. */
export function applyChanges(lines: readonly string[]): ConfigDraft {
  const draft: ConfigDraft = {};
  for (const line of lines) {
    const [, keyword = '', argument = ''] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
    const apply = instructions[keyword.toUpperCase()];
    if (apply === undefined) throw invalid(line, `${keyword === '' ? 'an empty line' : keyword.toUpperCase()} is not possible when an image is imported; use ${Object.keys(instructions).join(', ')}`);
    if (argument === '') throw invalid(line, 'its argument is missing');
    apply(draft, argument, line);
  }
  return draft;
}

function parseCommand(argument: string, line: string): string[] {
  return argument.startsWith('[') ? parseJsonList(argument, line) : [...SHELL, argument];
}

function parseJsonList(argument: string, line: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(argument);
  } catch (error) {
    throw invalid(line, 'the list is not valid JSON', error);
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw invalid(line, 'the list must hold texts');
}

/** `A=b C="d e"`, or the older form `A b c`. */
function parsePairs(argument: string, line: string): [string, string][] {
  const first = argument.split(/\s/)[0] ?? '';
  if (!first.includes('=')) {
    const match = /^(\S+)\s+(.+)$/s.exec(argument);
    if (match === null) throw invalid(line, 'write NAME=VALUE');
    return [[match[1] ?? '', match[2] ?? '']];
  }
  return splitWords(argument, line).map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) throw invalid(line, `"${word}" is not NAME=VALUE`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** Words between blanks; quotes keep blanks together, a backslash takes the next character as it is. */
function splitWords(text: string, line: string): string[] {
  const words: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const word = /^(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/s.exec(rest)?.[0];
    if (word === undefined) throw invalid(line, 'a quote is not closed');
    words.push(unquote(word));
    rest = rest.slice(word.length).trimStart();
  }
  return words;
}

const unquote = (word: string): string =>
  word.replace(/\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/gs, (...groups: (string | undefined)[]) => groups[1] ?? groups[2]?.replace(/\\(.)/gs, '$1') ?? groups[3] ?? '');

function parsePort(port: string, line: string): string {
  const [, number, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(port) ?? [];
  if (number === undefined || Number(number) < 1 || Number(number) > 65_535) throw invalid(line, `"${port}" is not a port such as 80 or 53/udp`);
  return `${Number(number)}/${protocol}`;
}

const invalid = (line: string, why: string, cause?: unknown): OrchError => new OrchError('ORCH_INVALID', `Cannot apply the change "${line}": ${why}`, { cause });
