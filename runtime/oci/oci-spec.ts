import type { ArgumentRule } from './seccomp-profile.ts';

/** The parts of an OCI runtime configuration (runtime-spec config.json) that orch writes. */
export type OciSpec = {
  readonly ociVersion: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly OciMount[];
  readonly linux: OciLinux;
};

export type OciUser = { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };

/** A limit of 64 bits; numbers beyond 2^53 are written exactly. */
export type OciRlimit = { readonly type: string; readonly soft: bigint; readonly hard: bigint };

export type OciProcess = {
  readonly terminal: boolean;
  readonly user: OciUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: { readonly bounding: readonly string[]; readonly effective: readonly string[]; readonly permitted: readonly string[] };
  readonly rlimits: readonly OciRlimit[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj: number;
};

export type OciMount = { readonly destination: string; readonly type: string; readonly source: string; readonly options: readonly string[] };

export type OciSyscall = {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly ArgumentRule[];
};

export type OciSeccomp = {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly OciSyscall[];
};

export type OciResources = {
  readonly devices: readonly { readonly allow: boolean; readonly access: string }[];
  readonly memory?: { readonly limit: number };
  readonly cpu?: { readonly quota: number; readonly period: number };
  readonly pids?: { readonly limit: number };
  readonly unified?: Readonly<Record<string, string>>;
};

export type OciLinux = {
  readonly cgroupsPath: string;
  readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
  readonly resources: OciResources;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly seccomp?: OciSeccomp;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
};

declare global {
  interface JSON {
    /** Stringified as this text exactly (ES2026; TypeScript's library lacks it). */
    rawJSON(text: string): object;
  }
}

/** The text of config.json. */
export function formatOciSpec(spec: OciSpec): string {
  return JSON.stringify(spec, (_key, value: unknown) => typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value);
}
