import type { Capability } from './capabilities.ts';
import type { OciSeccomp, OciSyscall } from './oci-spec.ts';
import { allowedCalls, conditionalRules, defaultErrno, type ConditionalRule } from './seccomp-profile.ts';

const scmpArchitectures: Readonly<Record<string, string>> = { amd64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64', riscv64: 'SCMP_ARCH_RISCV64' };

/** The system call filter of a container with these capabilities, for the native architecture; undefined where the profile does not know it. */
export function buildSeccomp(arch: string, capabilities: readonly Capability[]): OciSeccomp | undefined {
  const architecture = scmpArchitectures[arch];
  if (architecture === undefined) return undefined;
  const holds = (rule: ConditionalRule): boolean =>
    (rule.arch === undefined || rule.arch === arch)
    && (rule.needs === undefined || capabilities.includes(rule.needs))
    && (rule.lacks === undefined || !capabilities.includes(rule.lacks));
  const rules = conditionalRules.filter(holds);
  const unconditional = rules.filter((rule) => rule.arg === undefined && rule.errnoRet === undefined).flatMap((rule) => rule.names);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: defaultErrno,
    architectures: [architecture],
    syscalls: [
      { names: [...new Set([...allowedCalls, ...unconditional])], action: 'SCMP_ACT_ALLOW' },
      ...rules.filter((rule) => rule.arg !== undefined || rule.errnoRet !== undefined).map(ruleSyscall),
    ],
  };
}

function ruleSyscall(rule: ConditionalRule): OciSyscall {
  const args = rule.arg ? { args: [rule.arg] } : {};
  if (rule.errnoRet !== undefined) return { names: rule.names, action: 'SCMP_ACT_ERRNO', errnoRet: rule.errnoRet, ...args };
  return { names: rule.names, action: 'SCMP_ACT_ALLOW', ...args };
}
