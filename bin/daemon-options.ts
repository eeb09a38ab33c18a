import { defineCommand } from '../cli/command.ts';
import { parseCommandLine } from '../cli/parse.ts';
import { commandHelp } from '../cli/help.ts';
import { OrchError } from '../model/errors.ts';

/** `orch daemon` as data; it runs in the foreground, and everything it owns lies in its two directories. */
export const daemonCommand = defineCommand({
  path: ['daemon'], summary: 'Run the daemon of this node in the foreground', args: { usage: [] },
  description: 'It is always an agent, and a manager when its role in the cluster says so. Containers go on when it ends.',
  flags: {
    'data-dir': { type: 'string', default: '/var/lib/orch', value: 'DIRECTORY', help: 'what must outlive a reboot' },
    'run-dir': { type: 'string', default: '/run/orch', value: 'DIRECTORY', help: 'sockets and what a reboot forgets' },
    'log-level': { type: 'choice', choices: ['debug', 'info', 'warn', 'error', 'silent'], default: 'info', help: 'how much to log, to standard error' },
    runtime: { type: 'choice', choices: ['runc', 'crun'], help: 'OCI runtime (default: runc where it is installed)' },
    cpus: { type: 'cpus', value: 'CPUS', help: 'CPUs to offer to tasks (default: those of the host)' },
    memory: { type: 'bytes', value: 'BYTES', help: 'memory to offer to tasks (default: that of the host)' },
    'engine-label': { type: 'list', value: 'KEY=VALUE', help: 'label of this node\'s engine, for constraints on engine.labels' },
    'insecure-registry': { type: 'list', value: 'HOST[:PORT]', help: 'registry to speak plain HTTP to; those on loopback are' },
  },
  run: () => Promise.reject(new OrchError('ORCH_INTERNAL', 'The daemon is started by bin/orch.ts')),
});

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export type DaemonOptions = {
  readonly dataDir: string;
  readonly runDir: string;
  readonly logLevel: LogLevelName;
  readonly runtime: 'runc' | 'crun' | undefined;
  readonly nanoCpus: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly engineLabels: Readonly<Record<string, string>>;
  readonly insecureRegistries: readonly string[];
};

const levels: readonly LogLevelName[] = ['debug', 'info', 'warn', 'error', 'silent'];
const runtimes = ['runc', 'crun'] as const;

/** The daemon's options from its command line; the help text when that was asked for. Throws ORCH_USAGE. */
export function parseDaemonOptions(words: readonly string[]): DaemonOptions | string {
  const parsed = parseCommandLine(daemonCommand, words);
  if (parsed.help) return commandHelp(daemonCommand);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseCommandLine built them from this command's own table
  const flags = parsed.flags as Parameters<typeof daemonCommand.run>[2];
  return {
    dataDir: absolute('data-dir', flags['data-dir']), runDir: absolute('run-dir', flags['run-dir']),
    logLevel: levels.find((level) => level === flags['log-level']) ?? 'info', runtime: runtimes.find((name) => name === flags.runtime),
    nanoCpus: flags.cpus, memoryBytes: flags.memory, insecureRegistries: flags['insecure-registry'],
    engineLabels: Object.fromEntries(flags['engine-label'].map((text): [string, string] => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    })),
  };
}

function absolute(flag: string, path: string): string {
  if (!path.startsWith('/')) throw new OrchError('ORCH_USAGE', `--${flag} must be an absolute path, not "${path}"`);
  return path.replace(/\/+$/, '');
}
