import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { ApiClient } from './http-client.ts';

/** One flag of a command. `short` is a one-letter alias; `value` names the argument in help texts. */
export type FlagSpec = { readonly help: string; readonly short?: string; readonly value?: string } & (
  | { readonly type: 'string'; readonly required?: true; readonly default?: string }
  /** `refused`: words that Docker knows and orch does not honour, each with why not. */
  | { readonly type: 'choice'; readonly choices: readonly string[]; readonly default?: string; readonly refused?: Readonly<Record<string, string>> }
  | { readonly type: 'integer'; readonly default?: number; readonly min?: number; readonly max?: number }
  | { readonly type: 'number'; readonly min?: number; readonly max?: number }
  | { readonly type: 'boolean' }
  /** As boolean, but what was not given stays undefined: for settings that `false` turns off again. */
  | { readonly type: 'toggle' }
  /** May be given several times. */
  | { readonly type: 'list' }
  /** A size such as 512m, in bytes. */
  | { readonly type: 'bytes' }
  /** A Go duration such as 1m30s, in ms. */
  | { readonly type: 'duration' }
  /** A number of CPUs, in billionths. */
  | { readonly type: 'cpus' }
  /** Known to Docker but not honoured here: giving it is an error that says `why`. */
  | { readonly type: 'refused'; readonly why: string }
);

export type FlagValue<F extends FlagSpec> =
  F extends { type: 'boolean' } ? boolean :
  F extends { type: 'toggle' } ? boolean | undefined :
  F extends { type: 'list' } ? string[] :
  F extends { type: 'refused' } ? undefined :
  F extends { type: 'integer' } ? (F extends { default: number } ? number : number | undefined) :
  F extends { type: 'number' | 'bytes' | 'duration' | 'cpus' } ? number | undefined :
  F extends { required: true } | { default: string } ? string : string | undefined;

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;
export type Flags<S extends FlagSpecs> = { readonly [K in keyof S]: FlagValue<S[K]> };

/** A piece of what a command prints as it goes. */
export type OutputChunk = { readonly to: 'stdout' | 'stderr'; readonly bytes: string | Uint8Array };

/** What a command returns for its caller to print. Text gets a final newline when it lacks one. */
export type CommandResult = string | AsyncIterable<OutputChunk> | undefined;

/** Everything a command may use; tests pass their own. */
export type CommandContext = {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Width and kind of standard output and error. */
  readonly terminal: { readonly stdoutIsTerminal: boolean; readonly stderrIsTerminal: boolean; readonly columns: number };
  /** Value of an environment variable of the user, for `--env NAME`. */
  environmentVariable(name: string): string | undefined;
  /** Standard input, as bytes. */
  stdin(): AsyncIterable<Uint8Array>;
};

export type CommandArgs = {
  /** Such as `IMAGE` or `[COMMAND]` or `SERVICE...`: upper case; brackets for optional; `...` for several. */
  readonly usage: readonly string[];
  /** What the first argument may be, for completion. */
  readonly choices?: readonly string[];
  /** From the argument with this index on, everything is passed through untouched, flags too (the container's own command line). */
  readonly passThroughFrom?: number;
};

/** A command is data: help, completion and docs/cli.md come from the same table. */
export type Command<S extends FlagSpecs = FlagSpecs> = {
  readonly path: readonly string[];
  /** Other names of the last word of the path. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** More lines for the help text. */
  readonly description?: string;
  readonly examples?: readonly string[];
  readonly args: CommandArgs;
  readonly flags: S;
  /** Returns what to print; never prints, never exits, so tests call it directly. */
  run(context: CommandContext, args: readonly string[], flags: Flags<S>): Promise<CommandResult>;
};

/** A command whose flags' types are known only to itself. */
export type AnyCommand = Omit<Command, 'run'> & { run(context: CommandContext, args: readonly string[], flags: never): Promise<CommandResult> };

export const defineCommand = <const S extends FlagSpecs>(command: Command<S>): Command<S> => command;
