import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import type { NodeNetwork } from '../../network/node-network.ts';
import { openNodeNetwork } from '../../network/open-node-network.ts';
import { spawnRunner, type SpawnRunner } from './spawn-runner.ts';

const PROBE = new URL('net-probe.ts', import.meta.url).pathname;

/** Addresses of the link between the node and the one host outside. */
export const NODE_ADDRESS = '10.99.0.1';
export const OUTSIDE_ADDRESS = '10.99.0.2';

/** A node and a host outside, each a process with its own network namespace, and programs to run in them. Needs root. */
export class NetworkLab implements AsyncDisposable {
  readonly runner: SpawnRunner = spawnRunner();
  readonly runDir: string;
  readonly #processes: ChildProcess[] = [];
  #nodePid = 0;
  #outsidePid = 0;

  private constructor(runDir: string) { this.runDir = runDir; }

  static async open(): Promise<NetworkLab> {
    const lab = new NetworkLab(await mkdtemp(join(tmpdir(), 'orch-network-')));
    lab.#nodePid = await lab.#hold();
    lab.#outsidePid = await lab.#hold();
    await lab.inNode('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', String(lab.#outsidePid));
    for (const [netns, address] of [[lab.node, NODE_ADDRESS], [lab.outside, OUTSIDE_ADDRESS]] as const) {
      await lab.run(netns, 'sh', '-c', `ip link set lo up; ip link set up0 up; ip addr add ${address}/24 dev up0`);
    }
    return lab;
  }

  get node(): string { return `/proc/${this.#nodePid}/ns/net`; }
  get outside(): string { return `/proc/${this.#outsidePid}/ns/net`; }

  async openNetwork(): Promise<NodeNetwork> {
    return await openNodeNetwork({ runDir: this.runDir, runner: this.runner, clock: systemClock, log: silentLog, nodePid: this.#nodePid });
  }

  /** Output of a program in a namespace; throws when it fails. */
  async run(netns: string, ...argv: string[]): Promise<string> {
    const result = await this.runner.run(argv, { netns });
    if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  async inNode(...argv: string[]): Promise<string> { return await this.run(this.node, ...argv); }

  /** Starts a server in a namespace that answers `NAME CLIENT_ADDRESS`; resolves once it listens. */
  async serve(netns: string, protocol: 'tcp' | 'udp', service: { port: number; name: string }): Promise<ChildProcess> {
    const server = spawn('nsenter', [`--net=${netns}`, process.execPath, PROBE, 'serve', protocol, String(service.port), service.name], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#processes.push(server);
    await once(server.stdout, 'data');
    return server;
  }

  /** What a client in a namespace gets to hear. */
  async ask(netns: string, protocol: 'tcp' | 'udp', target: string): Promise<string> {
    const [host = '', port = ''] = target.split(':');
    return (await this.run(netns, process.execPath, PROBE, 'ask', protocol, host, port)).trim();
  }

  /** A UDP client that never changes its port; yields each new answer. */
  async *talk(netns: string, target: string): AsyncGenerator<string> {
    const client = spawn('nsenter', [`--net=${netns}`, process.execPath, PROBE, 'talk', 'udp', ...target.split(':')], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#processes.push(client);
    for await (const line of createInterface(client.stdout)) yield line;
  }

  /** Everything that an attachment could leave on the node. */
  async leftovers(): Promise<{ links: string[]; mounts: number; ports: boolean }> {
    const links = (await this.inNode('ip', '-br', 'link')).split('\n').map((line) => line.split(/[ @]/)[0] ?? '').filter((name) => name.startsWith('og-'));
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(this.runDir)).length;
    const ports = /tcp \. |udp \. /.test((await this.inNode('nft', 'list', 'map', 'ip', 'orch', 'pub')).split('elements')[1] ?? '');
    return { links, mounts, ports };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) await stop(child);
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(this.runDir));
    if (mounts.length > 0) await this.runner.run(['umount', '-l', ...mounts]);
    await rm(this.runDir, { recursive: true, force: true });
  }

  async #hold(): Promise<number> {
    const child = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    this.#processes.push(child);
    const pid = child.pid ?? 0;
    const own = await readlink('/proc/self/ns/net');
    while (await readlink(`/proc/${pid}/ns/net`) === own) await new Promise(setImmediate);
    return pid;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
