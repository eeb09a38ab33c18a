import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { DockerNode, DockerService, DockerTask } from '../../../cli/docker-objects.ts';
import { openApiClient, type ApiClient } from '../../../cli/http-client.ts';
import { filtersQuery } from '../../../cli/list-output.ts';

const root = join(import.meta.dirname, '../../..');
const orch = join(root, 'bin/orch');
const POLL_MS = 25;
/** Far beyond what anything needs: a test fails by its assertion, never by a slow minute. */
const DEFAULT_LIMIT_MS = 60_000;

export type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end, whatever its exit code. */
export function runProgram(argv: readonly string[], options: { input?: string; env?: Record<string, string> } = {}): Promise<Ran> {
  const [command = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = execFile(command, args, { maxBuffer: 64 * 1024 ** 2, env: { ...process.env, ...options.env } }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
      resolve({ exitCode, stdout, stderr });
    });
    child.stdin?.on('error', () => { /* a program may end without reading; its exit code says what came of it */ });
    child.stdin?.end(options.input ?? '');
  });
}

/** Waits until `read` gives something other than undefined or false; fails with `what` and the last thing seen. */
export async function eventually<T>(what: string, read: () => Promise<T | undefined | false>, options: { limitMs?: number; describe?: () => Promise<unknown> } = {}): Promise<T> {
  const deadlineMs = performance.now() + (options.limitMs ?? DEFAULT_LIMIT_MS);
  while (performance.now() < deadlineMs) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await sleepMs(POLL_MS);
  }
  throw new Error(`never happened: ${what}${options.describe ? `; it looked like ${JSON.stringify(await options.describe(), undefined, 1)}` : ''}`);
}

type NodeStatus = { index: number; name: string; address: string; up: boolean; initPid: number; daemonPid: number; dataDir: string; runDir: string; socket: string };

/** A real cluster for one test file: whole nodes in namespaces of their own, removed with all traces at the end. */
export class LabHarness implements AsyncDisposable {
  readonly name: string;
  readonly #scratch: string;

  private constructor(name: string, scratch: string) {
    this.name = name;
    this.#scratch = scratch;
  }

  /** Brings a lab up; `subnet` is the first three bytes of its private network. */
  static async up(options: { name: string; nodes: number; subnet: string; daemonArgs?: readonly string[] }): Promise<LabHarness> {
    await runProgram([orch, 'lab', 'down', '--name', options.name]); // what a run that was killed left
    const lab = new LabHarness(options.name, await mkdtemp(join(tmpdir(), 'orch-e2e-')));
    await lab.orchOrThrow(['lab', 'up', '--name', options.name, '--nodes', String(options.nodes), '--subnet', options.subnet, ...(options.daemonArgs ?? []).map((arg) => `--daemon-arg=${arg}`)]);
    return lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.orchOrThrow(['lab', 'down', '--name', this.name]);
    await rm(this.#scratch, { recursive: true, force: true });
  }

  /** `orch ARGS` on the host. */
  orch(args: readonly string[]): Promise<Ran> { return runProgram([orch, ...args]); }

  async orchOrThrow(args: readonly string[]): Promise<string> {
    const ran = await this.orch(args);
    if (ran.exitCode !== 0) throw new Error(`orch ${args.join(' ')} failed with ${ran.exitCode}: ${ran.stderr}${ran.stdout}`);
    return ran.stdout;
  }

  /** `orch ARGS` inside a node, as its administrator would type it. */
  on(node: number, args: readonly string[]): Promise<Ran> { return this.orch(['lab', 'exec', '--name', this.name, String(node), '--', 'orch', ...args]); }

  async onOrThrow(node: number, args: readonly string[]): Promise<string> {
    const ran = await this.on(node, args);
    if (ran.exitCode !== 0) throw new Error(`orch ${args.join(' ')} on node ${node} failed with ${ran.exitCode}: ${ran.stderr}${ran.stdout}`);
    return ran.stdout;
  }

  /** Any program inside a node. */
  exec(node: number, argv: readonly string[]): Promise<Ran> { return this.orch(['lab', 'exec', '--name', this.name, String(node), '--', ...argv]); }
  /** Any program on the underlay, outside the cluster. */
  outside(argv: readonly string[]): Promise<Ran> { return this.orch(['lab', 'client', '--name', this.name, '--', ...argv]); }
  /** `orch lab VERB ARGS` of this lab. */
  lab(verb: string, ...args: readonly string[]): Promise<string> { return this.orchOrThrow(['lab', verb, '--name', this.name, ...args]); }

  async status(): Promise<NodeStatus[]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by `orch lab status --json`
    return JSON.parse(await this.lab('status', '--json')) as NodeStatus[];
  }

  async node(index: number): Promise<NodeStatus> {
    const found = (await this.status()).find((node) => node.index === index);
    if (!found) throw new Error(`no node ${index}`);
    return found;
  }

  /** The API of a node, reached from the host. */
  api(node: number): ApiClient { return openApiClient({ socketPath: join('/var/lib/orch-lab', this.name, `n${node}`, 'run/orch.sock') }); }

  /** Makes the demo image and gives it to every node under `tag`. */
  async loadDemoImage(tag: string): Promise<void> {
    const tar = join(this.#scratch, 'demo.tar');
    const made = await runProgram([join(root, 'deploy/demo-image.sh'), tar]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
    for (const { index } of await this.status()) await this.onOrThrow(index, ['image', 'import', '--change', 'CMD ["serve"]', tar, tag]);
  }

  async services(): Promise<DockerService[]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API's own tests hold it to Docker's schema
    return await this.api(1).json({ path: '/services' }) as DockerService[];
  }

  async nodes(): Promise<DockerNode[]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return await this.api(1).json({ path: '/nodes' }) as DockerNode[];
  }

  async tasks(service: string): Promise<DockerTask[]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return await this.api(1).json({ path: `/tasks?${filtersQuery([`service=${service}`])}` }) as DockerTask[];
  }

  /** Tasks of the service that run and are wanted to. */
  async running(service: string): Promise<DockerTask[]> {
    return (await this.tasks(service)).filter((task) => task.DesiredState === 'running' && task.Status.State === 'running');
  }

  /** Waits until exactly `count` tasks run and none other is wanted. */
  settled(service: string, count: number, options: { limitMs?: number } = {}): Promise<DockerTask[]> {
    return eventually(`${count} tasks of ${service} run`, async () => {
      const tasks = await this.tasks(service);
      const wanted = tasks.filter((task) => task.DesiredState === 'running' || task.DesiredState === 'ready');
      return wanted.length === count && wanted.every((task) => task.Status.State === 'running' && task.DesiredState === 'running') && wanted;
    }, { ...options, describe: async () => (await this.tasks(service)).map((task) => [task.ID.slice(0, 5), task.Slot, task.NodeID?.slice(0, 5), task.DesiredState, task.Status]) });
  }

  /** Names of containers that run on a node, by its own engine. */
  async containers(node: number): Promise<string[]> {
    return (await this.onOrThrow(node, ['ps', '--format', '{{.Names}}'])).split('\n').filter((name) => name !== '');
  }
}
