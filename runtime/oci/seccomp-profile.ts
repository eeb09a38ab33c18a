import type { Capability } from './capabilities.ts';

/** A condition on one argument of a system call. */
export type ArgumentRule = {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'SCMP_CMP_LT' | 'SCMP_CMP_EQ' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ';
};

/** Calls that some containers may make. A rule counts when all that it names holds. */
export type ConditionalRule = {
  readonly names: readonly string[];
  /** The argument must be so. */
  readonly arg?: ArgumentRule;
  /** The call fails with this error number instead of being allowed. */
  readonly errnoRet?: number;
  /** The container has this capability. */
  readonly needs?: Capability;
  /** The container lacks this capability. */
  readonly lacks?: Capability;
  /** The node's architecture, as in OCI images. */
  readonly arch?: string;
};

const words = (text: string): string[] => text.trim().split(/\s+/);

/**
 * System calls that every container may make, on 64-bit machines. It follows Docker's default profile; calls that only 32-bit
 * programs make are left out because the filter is built for the native architecture alone (building it for three costs a
 * container start 12 ms), so that 32-bit programs do not run at all.
 */
export const allowedCalls: readonly string[] = [
  // Files and directories.
  ...words(`
    access cachestat chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr
    fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr getxattrat ioctl lchown lgetxattr link linkat
    listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat mknod mknodat name_to_handle_at
    newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
    removexattr removexattrat rename renameat renameat2 rmdir sendfile setxattr setxattrat splice stat statfs statmount statx
    symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write
    writev`),
  // Waiting for events.
  ...words(`
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
    fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
    io_setup io_submit poll ppoll pselect6 select signalfd signalfd4`),
  // Memory.
  ...words(`
    brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mprotect mremap mseal
    msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages`),
  // Sockets and pipes; socket(2) itself is in the rules below.
  ...words(`
    accept accept4 bind connect getpeername getsockname getsockopt listen pipe pipe2 recvfrom recvmmsg recvmsg sendmmsg sendmsg
    sendto setsockopt shutdown socketpair`),
  // System V and POSIX interprocess communication.
  ...words(`
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop
    semtimedop shmat shmctl shmdt shmget`),
  // Processes and threads.
  ...words(`
    execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv futex_wake get_robust_list get_thread_area
    getcpu getpgid getpgrp getpid getppid getsid gettid pidfd_open prctl process_vm_readv process_vm_writev ptrace
    restart_syscall rseq set_robust_list set_thread_area set_tid_address setpgid setsid uretprobe vfork wait4 waitid`),
  // Signals.
  ...words(`
    alarm kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sigaltstack tgkill tkill`),
  // Time; setting it needs a capability anyway.
  ...words(`
    adjtimex clock_adjtime clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time
    timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times`),
  // Users, groups, capabilities, sandboxes of their own.
  ...words(`
    capget capset getegid geteuid getgid getgroups getresgid getresuid getuid landlock_add_rule landlock_create_ruleset
    landlock_restrict_self seccomp setfsgid setfsuid setgid setgroups setregid setresgid setresuid setreuid setuid`),
  // Scheduling and limits.
  ...words(`
    getpriority getrlimit getrusage ioprio_get ioprio_set prlimit64 sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
    sched_setparam sched_setscheduler sched_yield setpriority setrlimit`),
  // The system as a whole.
  ...words(`
    getrandom sysinfo uname`),
];

const EPERM = 1;
const ENOSYS = 38;
/** All CLONE_NEW… flags: making namespaces. */
const NAMESPACE_FLAGS = 0x7e020000;
const AF_ALG = 38;
const AF_VSOCK = 40;

/** The answer to every call that no rule names. */
export const defaultErrno = EPERM;

/** Calls that depend on arguments, capabilities or architecture. Rules of the same call are alternatives. */
export const conditionalRules: readonly ConditionalRule[] = [
  // The kernel's crypto sockets and those to the hypervisor are out of reach.
  { names: ['socket'], arg: { index: 0, value: AF_ALG, op: 'SCMP_CMP_LT' } },
  { names: ['socket'], arg: { index: 0, value: AF_ALG + 1, op: 'SCMP_CMP_EQ' } },
  { names: ['socket'], arg: { index: 0, value: AF_VSOCK, op: 'SCMP_CMP_GT' } },
  // PER_LINUX and PER_LINUX32, each with and without UNAME26, and asking.
  ...[0x0, 0x8, 0x20000, 0x20008, 0xffffffff].map((value): ConditionalRule => ({ names: ['personality'], arg: { index: 0, value, op: 'SCMP_CMP_EQ' } })),
  { arch: 'amd64', names: ['arch_prctl', 'modify_ldt'] },
  { arch: 'arm64', names: words('arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2') },
  { arch: 'riscv64', names: ['riscv_flush_icache', 'riscv_hwprobe'] },
  // New namespaces are for CAP_SYS_ADMIN. The flags of clone3 lie in memory that no filter can read, so it does not exist and the C library falls back to clone.
  { lacks: 'CAP_SYS_ADMIN', names: ['clone'], arg: { index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' } },
  { lacks: 'CAP_SYS_ADMIN', names: ['clone3'], errnoRet: ENOSYS },
  {
    needs: 'CAP_SYS_ADMIN',
    names: words(`bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr
      mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`),
  },
  { needs: 'CAP_DAC_READ_SEARCH', names: ['open_by_handle_at'] },
  { needs: 'CAP_SYS_BOOT', names: ['reboot'] },
  { needs: 'CAP_SYS_CHROOT', names: ['chroot'] },
  { needs: 'CAP_SYS_MODULE', names: ['delete_module', 'finit_module', 'init_module'] },
  { needs: 'CAP_SYS_PACCT', names: ['acct'] },
  { needs: 'CAP_SYS_PTRACE', names: ['kcmp', 'pidfd_getfd', 'process_madvise'] },
  { needs: 'CAP_SYS_RAWIO', names: ['ioperm', 'iopl'] },
  { needs: 'CAP_SYS_TIME', names: ['clock_settime', 'settimeofday'] },
  { needs: 'CAP_SYS_TTY_CONFIG', names: ['vhangup'] },
  { needs: 'CAP_SYS_NICE', names: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'] },
  { needs: 'CAP_SYSLOG', names: ['syslog'] },
  { needs: 'CAP_BPF', names: ['bpf'] },
  { needs: 'CAP_PERFMON', names: ['perf_event_open'] },
];
