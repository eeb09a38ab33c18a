#define _GNU_SOURCE
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

static struct program_failure failure(const char *stage) {
    struct program_failure result = {.error = errno};
    snprintf(result.stage, sizeof result.stage, "%s", stage);
    return result;
}

void program_reset_signals(void) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void program_close_from(int first) {
    if (syscall(SYS_close_range, (unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC) == 0) return;
    struct rlimit limit; /* kernels before 5.11 */
    int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int)limit.rlim_cur : 65536;
    for (int fd = first; fd < end; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Moves a descriptor above the standard three, so that dup2 below cannot overwrite one that is still needed. */
static int above_standard(int fd) { return fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3); }

struct program_failure program_exec(const struct program *program) {
    int streams[3] = {above_standard(program->stdin_fd), above_standard(program->stdout_fd), above_standard(program->stderr_fd)};
    for (int fd = 0; fd < 3; fd++) {
        if (streams[fd] < 0 || dup2(streams[fd], fd) < 0) return failure("streams");
    }
    if (program->netns) {
        int netns = open(program->netns, O_RDONLY | O_CLOEXEC);
        if (netns < 0 || setns(netns, CLONE_NEWNET) < 0) return failure("network namespace");
    }
    if (chdir(program->cwd ? program->cwd : "/") < 0) return failure("working directory");
    umask(022);
    program_close_from(3);
    program_reset_signals();
    if (program->environment) environ = program->environment; /* execvp searches the PATH of the new environment */
    execvp(program->argv[0], program->argv);
    return failure("program");
}
