import type { Platform } from '../../model/node.ts';

const machineOfArch: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64', arm: 'armv7l', '386': 'i686' };
const archOfMachine: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(machineOfArch).map(([arch, machine]) => [machine, arch]));

/** The kernel's name of an architecture, which Docker shows for nodes: `x86_64` for `amd64`. */
export const machineName = (arch: string): string => machineOfArch[arch] ?? arch;

/** OCI's name of an architecture that may be written as the kernel's: `amd64` for `x86_64`. */
export const ociArch = (name: string): string => archOfMachine[name] ?? name;

/** Reads `os[/arch[/variant]]` of a query; `fallback` gives what is not written. */
export function parsePlatform(text: string, fallback: Platform): Platform {
  const [os = '', ...arch] = text.split('/');
  return { os: os || fallback.os, arch: arch.length === 0 ? fallback.arch : ociArch(arch.join('/')) };
}
