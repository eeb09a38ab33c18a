import { existsSync } from 'node:fs';
import { arch, release } from 'node:os';
import type { NodeFeatures } from '../api/node-engine.ts';
import { readTextIfExists } from '../base/files.ts';
import type { ProgramRunner } from '../base/program-runner.ts';

/** CAP_SYS_RESOURCE of capabilities(7). */
const CAP_SYS_RESOURCE = 24n;
const CGROUP2_ONLY = '/sys/fs/cgroup/cgroup.controllers';
const runtimeNames = ['runc', 'crun'] as const;

/** Looks once at what the kernel and the programs of this node can do. */
export async function probeFeatures(runner: ProgramRunner, defaultRuntime: string): Promise<NodeFeatures> {
  const release_ = parseOsRelease(await readTextIfExists('/etc/os-release') ?? '');
  const runtimes = (await Promise.all(runtimeNames.map((name) => probeRuntime(runner, name)))).filter((found) => found !== undefined);
  return {
    kernelVersion: release(), operatingSystem: release_.get('PRETTY_NAME') ?? 'Linux', osVersion: release_.get('VERSION_ID') ?? '', architecture: arch() === 'x64' ? 'x86_64' : arch() === 'arm64' ? 'aarch64' : arch(),
    cgroupVersion: existsSync(CGROUP2_ONLY) ? '2' : '1', cgroupDriver: 'cgroupfs', runtimes, defaultRuntime,
    seccomp: /^Seccomp:/m.test(await readTextIfExists('/proc/self/status') ?? ''),
    appArmor: (await readTextIfExists('/sys/module/apparmor/parameters/enabled'))?.trim() === 'Y',
    warnings: await findWarnings(runtimes.length > 0),
  };
}

function parseOsRelease(text: string): ReadonlyMap<string, string> {
  return new Map(text.split('\n').flatMap((row): [string, string][] => {
    const equals = row.indexOf('=');
    return equals < 0 ? [] : [[row.slice(0, equals), row.slice(equals + 1).replace(/^"|"$/g, '')]];
  }));
}

async function probeRuntime(runner: ProgramRunner, name: string): Promise<NodeFeatures['runtimes'][number] | undefined> {
  const path = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((directory) => `${directory}/${name}`).find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  const { stdout } = await runner.run([path, '--version']);
  return { name, path, version: /version (\S+)/.exec(stdout)?.[1] ?? 'unknown' };
}

/** What this node lacks, a sentence each. */
async function findWarnings(hasRuntime: boolean): Promise<string[]> {
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(await readTextIfExists('/proc/self/status') ?? '')?.[1] ?? '0'}`);
  return [
    ...(hasRuntime ? [] : ['No OCI runtime is installed: containers cannot run. Install runc or crun']),
    ...((capabilities >> CAP_SYS_RESOURCE) & 1n ? [] : ['The daemon lacks CAP_SYS_RESOURCE: resource limits of containers are held to its own']),
  ];
}
