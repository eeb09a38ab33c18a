import { readTextIfExists } from '../../base/files.ts';
import type { ProgramResult, ProgramRunner } from '../../base/program-runner.ts';
import { isOrchError, OrchError } from '../../model/errors.ts';
import type { ContainerId } from '../../model/meta.ts';
import type { OciBundle, OciRuntime, OciState } from './oci-runtime.ts';
import { lastRuntimeMessage } from './runtime-message.ts';

export const runtimeNames = ['runc', 'crun'] as const;
/** The runtimes that are known to understand the same commands. */
export type RuntimeName = (typeof runtimeNames)[number];

export type RuntimeOptions = {
  readonly runner: ProgramRunner;
  /** Directory of the runtime's own state; on a file system that a reboot empties. */
  readonly root: string;
  /** Missing takes the first that is installed. */
  readonly name?: RuntimeName;
};

/** Finds an OCI runtime on the PATH. Throws ORCH_RUNTIME when there is none, or not the one asked for. */
export async function findOciRuntime(options: RuntimeOptions): Promise<OciRuntime> {
  const reasons: string[] = [];
  for (const name of options.name === undefined ? runtimeNames : [options.name]) {
    const version = await readVersion(options.runner, name);
    if ('version' in version) return new CommandRuntime(name, version.version, options);
    reasons.push(version.reason);
  }
  throw new OrchError('ORCH_RUNTIME', `No OCI runtime works on this node: ${reasons.join('; ')}`, { hint: 'Install runc' });
}

async function readVersion(runner: ProgramRunner, name: RuntimeName): Promise<{ version: string } | { reason: string }> {
  try {
    const { exitCode, stdout, stderr } = await runner.run([name, '--version']);
    const version = /version:? (\S+)/.exec(stdout)?.[1];
    return exitCode === 0 && version !== undefined ? { version } : { reason: `${name}: ${stderr.trim() || `exit code ${exitCode}`}` };
  } catch (error) {
    if (isOrchError(error, 'ORCH_RUNTIME')) return { reason: error.message };
    throw error;
  }
}

/** runc and crun take the same commands and options. */
class CommandRuntime implements OciRuntime {
  readonly name: string;
  readonly version: string;
  readonly #runner: ProgramRunner;
  readonly #root: string;

  constructor(name: RuntimeName, version: string, { runner, root }: RuntimeOptions) {
    this.name = name;
    this.version = version;
    this.#runner = runner;
    this.#root = root;
  }

  runCommand(bundle: OciBundle): readonly string[] {
    return [...this.#logged(bundle.log), 'run', '--detach', ...bundleOptions(bundle), bundle.id];
  }

  async create(bundle: OciBundle): Promise<void> {
    const result = await this.#runner.run([...this.#logged(bundle.log), 'create', ...bundleOptions(bundle), bundle.id]);
    if (result.exitCode === 0) return;
    const message = lastRuntimeMessage(await readTextIfExists(bundle.log) ?? '') || result.stderr;
    throw this.#failure('create', bundle.id, { ...result, stderr: message });
  }

  async start(id: ContainerId): Promise<void> {
    await this.#check('start', id, [id]);
  }

  async kill(id: ContainerId, signal: number): Promise<void> {
    await this.#check('kill', id, [id, String(signal)]);
  }

  async delete(id: ContainerId, { force }: { force: boolean }): Promise<void> {
    const result = await this.#runner.run([...this.#base(), 'delete', ...(force ? ['--force'] : []), id]);
    if (result.exitCode !== 0 && !(force && isUnknown(result))) throw this.#failure('delete', id, result);
  }

  async state(id: ContainerId): Promise<OciState | undefined> {
    const result = await this.#runner.run([...this.#base(), 'state', id]);
    if (result.exitCode === 0) return parseState(result.stdout);
    if (isUnknown(result)) return undefined;
    throw this.#failure('state', id, result);
  }

  #base(): string[] { return [this.name, '--root', this.#root]; }

  #logged(log: string): string[] { return [...this.#base(), '--log', log, '--log-format', 'json']; }

  async #check(verb: string, id: ContainerId, args: readonly string[]): Promise<void> {
    const result = await this.#runner.run([...this.#base(), verb, ...args]);
    if (result.exitCode !== 0) throw this.#failure(verb, id, result);
  }

  #failure(verb: string, id: ContainerId, { exitCode, stderr }: ProgramResult): OrchError {
    return new OrchError('ORCH_RUNTIME', `${this.name} could not ${verb} container ${id.slice(0, 12)}: ${stderr.trim() || `exit code ${exitCode}`}`);
  }
}

const isUnknown = ({ stderr }: ProgramResult): boolean => /does not exist|No such file/.test(stderr);

const bundleOptions = ({ bundle, pidFile, consoleSocket }: OciBundle): string[] =>
  ['--bundle', bundle, '--pid-file', pidFile, ...(consoleSocket === undefined ? [] : ['--console-socket', consoleSocket])];

const statuses = ['creating', 'created', 'running', 'paused', 'stopped'] as const;

function parseState(text: string): OciState {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('status' in value) || !('bundle' in value)) throw new OrchError('ORCH_RUNTIME', `This is no container state: ${text}`);
  const status = statuses.find((known) => known === value.status);
  if (status === undefined) throw new OrchError('ORCH_RUNTIME', `"${String(value.status)}" is no state of an OCI container`);
  const pid = 'pid' in value && typeof value.pid === 'number' && status !== 'stopped' ? value.pid : 0;
  return { status, pid, bundle: String(value.bundle) };
}
