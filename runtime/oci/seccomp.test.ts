import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { dockerSeccomp, type DockerRule } from '../../test/support/oci-schema.ts';
import { skipTest } from '../../test/support/skip.ts';
import { capabilityNames, defaultCapabilities, type Capability } from './capabilities.ts';
import type { OciSyscall } from './oci-spec.ts';
import { buildSeccomp } from './seccomp.ts';

/** In Docker's list for programs of 32 bits, which orch's filter does not admit at all, and for other machines. */
const foreignCalls = new Set([
  '_llseek', '_newselect', 'chown32', 'clock_adjtime64', 'clock_getres_time64', 'clock_gettime64', 'clock_nanosleep_time64', 'clock_settime64', 'fadvise64_64',
  'fchown32', 'fcntl64', 'fstat64', 'fstatat64', 'fstatfs64', 'ftruncate64', 'futex_time64', 'getegid32', 'geteuid32', 'getgid32', 'getgroups32', 'getresgid32',
  'getresuid32', 'getuid32', 'io_pgetevents_time64', 'ipc', 'lchown32', 'lstat64', 'mmap2', 'mq_timedreceive_time64', 'mq_timedsend_time64', 'ppoll_time64',
  'pselect6_time64', 'recv', 'recvmmsg_time64', 'riscv_hwprobe', 'rt_sigtimedwait_time64', 'sched_rr_get_interval_time64', 'semtimedop_time64', 'send', 'sendfile64',
  'setfsgid32', 'setfsuid32', 'setgid32', 'setgroups32', 'setregid32', 'setresgid32', 'setresuid32', 'setreuid32', 'setuid32', 'sigprocmask', 'sigreturn',
  'socketcall', 'stat64', 'statfs64', 'stime', 'timer_gettime64', 'timer_settime64', 'timerfd_gettime64', 'timerfd_settime64', 'truncate64', 'ugetrlimit',
  'utimensat_time64', 'waitpid',
]);

/** What a profile does with each call: `name` when always allowed, else with its argument rule or error number. */
function effects(rules: readonly (OciSyscall | DockerRule)[]): Set<string> {
  const found = rules.flatMap((rule) => {
    const args = (rule.args ?? []).map(({ index, value, op }) => `${index} ${op} ${value}`).join();
    return rule.names.filter((name) => !foreignCalls.has(name)).map((name) => `${name} ${rule.action} ${args} ${rule.errnoRet ?? ''}`.trim());
  });
  return new Set(found);
}

function dockerRules(rules: readonly DockerRule[], arch: string, capabilities: readonly string[]): DockerRule[] {
  return rules.filter(({ includes, excludes }) =>
    (includes?.arches === undefined || includes.arches.includes(arch)) && (includes?.caps ?? []).every((name) => capabilities.includes(name))
    && !(excludes?.arches ?? []).includes(arch) && !(excludes?.caps ?? []).some((name) => capabilities.includes(name)));
}

describe('the seccomp profile', () => {
  const reference = dockerSeccomp();
  const sets: Record<string, readonly Capability[]> = { 'no capability': [], 'the default capabilities': defaultCapabilities, 'all capabilities': capabilityNames };
  for (const arch of ['amd64', 'arm64']) {
    for (const [title, capabilities] of Object.entries(sets)) {
      it(`does on ${arch} with ${title} what Docker's does`, function () {
        if (typeof reference === 'string') skipTest(this, reference);
        const ours = buildSeccomp(arch, capabilities);
        assert.ok(ours);
        assert.equal(ours.defaultAction, reference.defaultAction);
        assert.equal(ours.defaultErrnoRet, reference.defaultErrnoRet);
        const docker = effects(dockerRules(reference.syscalls, arch, capabilities));
        assert.deepEqual([...effects(ours.syscalls)].toSorted(), [...docker].toSorted());
      });
    }
  }

  it('is built for the native architecture alone', () => {
    assert.deepEqual(buildSeccomp('amd64', [])?.architectures, ['SCMP_ARCH_X86_64']);
    assert.deepEqual(buildSeccomp('arm64', [])?.architectures, ['SCMP_ARCH_AARCH64']);
    assert.equal(buildSeccomp('mips', []), undefined);
  });

  it('keeps new namespaces for CAP_SYS_ADMIN', () => {
    const names = (capabilities: readonly Capability[]): string[] => [...buildSeccomp('amd64', capabilities)?.syscalls[0]?.names ?? []];
    assert.ok(!names(defaultCapabilities).some((name) => ['mount', 'unshare', 'setns', 'clone', 'clone3', 'bpf', 'keyctl'].includes(name)));
    assert.ok(names(['CAP_SYS_ADMIN']).includes('unshare'));
  });
});
