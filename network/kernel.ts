import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ProgramResult, ProgramRunner } from '../base/program-runner.ts';
import { readTextIfExists } from '../base/files.ts';
import { OrchError } from '../model/errors.ts';
import { BRIDGE, parseLinkAddresses, parseLinkNames, parseNamespaceMounts } from './plan-links.ts';
import { parseListeningPorts, type ListeningPorts } from './plan-ports.ts';

/** Applies planned changes to the node's network with as few programs as possible, and reads what is there. Decides nothing. */
export class Kernel {
  readonly #runner: ProgramRunner;
  readonly #namespaceDir: string;
  /** /proc directory of a process in the node's network namespace. */
  readonly #proc: string;
  readonly #inNode: { readonly netns?: string };

  /** `nodePid`: a process whose network namespace is the node's; this process's own when missing. */
  constructor(options: { runner: ProgramRunner; namespaceDir: string; nodePid?: number | undefined }) {
    this.#runner = options.runner;
    this.#namespaceDir = options.namespaceDir;
    this.#proc = `/proc/${options.nodePid ?? process.pid}`;
    this.#inNode = options.nodePid === undefined ? {} : { netns: this.hostNamespacePath };
  }

  get hostNamespacePath(): string { return `${this.#proc}/ns/net`; }

  async listLinks(): Promise<Set<string>> {
    return parseLinkNames(await readFile(`${this.#proc}/net/dev`, 'utf8'));
  }

  /** Paths of the namespaces that are mounted in our directory. */
  async listNamespaces(): Promise<Set<string>> {
    return parseNamespaceMounts(await readFile('/proc/self/mountinfo', 'utf8'), this.#namespaceDir);
  }

  async listBridgeAddresses(): Promise<string[]> {
    const result = await this.#run(['ip', '-j', '-4', 'addr', 'show', 'dev', BRIDGE]);
    return parseLinkAddresses(result.stdout).get(BRIDGE) ?? [];
  }

  /** True when the node has bridges that are not ours. */
  async hasForeignBridge(): Promise<boolean> {
    const result = await this.#run(['ip', '-br', 'link', 'show', 'type', 'bridge']);
    return result.stdout.split('\n').some((line) => line.trim() !== '' && !line.startsWith(`${BRIDGE} `));
  }

  async listListeningPorts(): Promise<ListeningPorts> {
    const read = async (protocol: 'tcp' | 'udp'): Promise<Set<number>> => {
      const [v4, v6] = await Promise.all([readTextIfExists(`${this.#proc}/net/${protocol}`), readTextIfExists(`${this.#proc}/net/${protocol}6`)]);
      return new Set([...parseListeningPorts(v4 ?? '', protocol), ...parseListeningPorts(v6 ?? '', protocol)]);
    };
    const [tcp, udp] = await Promise.all([read('tcp'), read('udp')]);
    return { tcp, udp };
  }

  /** Makes a namespace at `path` and runs `ip` lines in it. One process: `unshare` becomes `ip`. */
  async createNamespace(path: string, lines: readonly string[]): Promise<void> {
    await mkdir(this.#namespaceDir, { recursive: true, mode: 0o711 });
    await writeFile(path, '', { flag: 'wx', mode: 0o400 });
    const result = await this.#runner.run(['unshare', `--net=${path}`, 'ip', '-batch', '-'], { stdin: asInput(lines) });
    if (result.exitCode !== 0) throw commandError(`Namespace ${path} could not be set up`, result);
  }

  /** Unmounts and forgets namespaces; those that are not there are skipped. The kernel destroys one when its last process has left. */
  async deleteNamespaces(paths: readonly string[]): Promise<void> {
    const mounted = await this.listNamespaces();
    const present = paths.filter((path) => mounted.has(path));
    if (present.length > 0) {
      const result = await this.#runner.run(['umount', '-l', ...present]);
      if (result.exitCode !== 0) throw commandError('Network namespaces could not be unmounted', result);
    }
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  }

  /** Runs `ip` lines in the node's namespace, all of them even when some fail. Returns what failed: line number from 0 → reason. */
  async applyLinks(lines: readonly string[]): Promise<Map<number, string>> {
    if (lines.length === 0) return new Map();
    const result = await this.#run(['ip', '-force', '-batch', '-'], asInput(lines));
    return result.exitCode === 0 ? new Map() : parseBatchFailures(result.stderr);
  }

  /** One transaction of the packet filter; throws ORCH_RUNTIME and changes nothing when a part of it can't be done. */
  async applyRules(text: string): Promise<void> {
    if (text === '') return;
    const result = await this.#run(['nft', '-f', '-'], text);
    if (result.exitCode !== 0) throw commandError('The packet filter of this node could not be changed', result);
  }

  /** Writes kernel settings (`net/ipv4/ip_forward` → value) that exist and differ; returns the names of those that could not be set. */
  async applySettings(settings: Readonly<Record<string, string>>): Promise<string[]> {
    const result = await this.#runner.run(['sh', '-c', SETTINGS_SCRIPT, 'sh', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)], this.#inNode);
    return result.stdout.split('\n').filter((name) => name !== '');
  }

  async #run(argv: readonly string[], stdin?: string): Promise<ProgramResult> {
    return await this.#runner.run(argv, { ...this.#inNode, ...(stdin === undefined ? {} : { stdin }) });
  }
}

/** /proc/sys shows the namespace of whoever opens it, so the writing is done by a program that runs there. */
const SETTINGS_SCRIPT = `for setting in "$@"; do
  name="\${setting%%=*}" value="\${setting#*=}" file="/proc/sys/\${setting%%=*}"
  [ -e "$file" ] || continue
  [ "$(cat "$file")" = "$value" ] || { echo "$value" > "$file"; } 2>/dev/null || echo "$name"
done`;

const asInput = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const commandError = (what: string, result: ProgramResult): OrchError =>
  new OrchError('ORCH_RUNTIME', `${what}: ${result.stderr.trim().replaceAll('\n', '; ') || `exit code ${result.exitCode}`}`);

/** `ip -batch` prints each reason and after it `Command failed -:LINE`, counted from 1. */
export function parseBatchFailures(stderr: string): Map<number, string> {
  const failures = new Map<number, string>();
  let reason: string[] = [];
  for (const line of stderr.split('\n')) {
    const [, number] = /^Command failed -:(\d+)$/.exec(line.trim()) ?? [];
    if (number === undefined) {
      if (line.trim() !== '') reason.push(line.trim());
      continue;
    }
    failures.set(Number(number) - 1, reason.join('; ') || 'failed');
    reason = [];
  }
  return failures;
}
