#define _GNU_SOURCE
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "overlay.h"
#include "program.h"

#define LAUNCH_LIMIT_MS 120000
#define LINE_WAIT_MS 100
#define TEXT_LIMIT 8192

struct monitor {
    const struct frame *request;
    int reply;
    int signals;
    int console; /* listens for the terminal of the container; -1 without one */
    struct control control;
    struct log_file log;
    struct log_stream streams[2];
    struct exit_record record;
    int exit_file; /* reserved */
    int status;
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void send_reply(struct monitor *monitor, struct buffer *reply) {
    size_t done = 0;
    while (done < reply->length) {
        ssize_t count = write(monitor->reply, reply->bytes + done, reply->length - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break; /* the server is gone; the daemon will find the control socket */
        done += (size_t)count;
    }
    buffer_free(reply);
    close(monitor->reply);
    monitor->reply = -1;
}

static _Noreturn void fail(struct monitor *monitor, const char *stage, int error, const char *text) {
    struct buffer reply = {0};
    size_t position = frame_begin(&reply, FRAME_FAILED, 0);
    frame_add_text(&reply, FIELD_STAGE, stage);
    frame_add_u32(&reply, FIELD_ERRNO, (uint32_t)error);
    frame_add_text(&reply, FIELD_TEXT, text);
    frame_end(&reply, position);
    control_close(&monitor->control);
    send_reply(monitor, &reply);
    _exit(1);
}

static int make_signals(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void drain_signals(int signals) {
    struct signalfd_siginfo info[8];
    while (read(signals, info, sizeof info) > 0) {}
}

/* The root in a mount namespace of its own; true when it is ready, or when none was asked for. */
static bool mount_root(const struct frame *request, struct program_failure *failure) {
    struct overlay overlay;
    struct field field;
    if (!frame_field(request, FIELD_OVERLAY_TARGET, &field)) return true;
    const char *kind = "overlay", *step = overlay_parse(request, &overlay) ? overlay_mount(&overlay) : "request";
    if (!step && (step = overlay_check_root(&overlay))) kind = "root";
    failure->error = errno;
    if (step) snprintf(failure->stage, sizeof failure->stage, "%s: %s", kind, step);
    return !step;
}

/* In the child: the root, then the runtime. */
static _Noreturn void launch(const struct frame *request, int output[2], int error_pipe) {
    struct program_failure failure = {0};
    setpgid(0, 0);
    if (mount_root(request, &failure)) {
        size_t count;
        struct program program = {.stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), .stdout_fd = output[0], .stderr_fd = output[1]};
        program.argv = frame_strings(request, FIELD_ARG, &count);
        program.environment = frame_strings(request, FIELD_ENV, &count);
        program.cwd = frame_string(request, FIELD_CWD);
        failure = program_exec(&program);
    }
    if (write(error_pipe, &failure, sizeof failure) < 0) _exit(126);
    _exit(127);
}

static void open_streams(struct monitor *monitor, int write_ends[2]) {
    static const char *const names[2] = {"stdout", "stderr"};
    for (int i = 0; i < 2; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) fail(monitor, "pipes", errno, "");
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        monitor->streams[i].fd = ends[0];
        monitor->streams[i].name = names[i];
        write_ends[i] = ends[1];
    }
}

/* The runtime's own log, else what it said on standard error. */
static void runtime_text(struct monitor *monitor, char *text) {
    char *path = frame_string(monitor->request, FIELD_RUNTIME_LOG);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t count = fd < 0 ? 0 : read(fd, text, TEXT_LIMIT - 1);
    if (count <= 0) count = read(monitor->streams[1].fd, text, TEXT_LIMIT - 1);
    text[count > 0 ? count : 0] = 0;
}

/* Waits for the runtime, taking the terminal that it sends meanwhile. Returns its wait status. */
static int wait_runtime(struct monitor *monitor, pid_t runtime) {
    int status;
    uint64_t end_ns = now_ns() + LAUNCH_LIMIT_MS * 1000000ull;
    while (waitpid(runtime, &status, WNOHANG) == 0) {
        struct pollfd polled[2] = {{.fd = monitor->signals, .events = POLLIN}, {.fd = monitor->console, .events = POLLIN}};
        uint64_t now = now_ns();
        if (now >= end_ns) {
            kill(-runtime, SIGKILL);
            waitpid(runtime, &status, 0);
            fail(monitor, "runtime", ETIMEDOUT, "");
        }
        poll(polled, 2, (int)((end_ns - now) / 1000000) + 1);
        drain_signals(monitor->signals);
        if (polled[1].revents & POLLIN) {
            int terminal = control_receive_terminal(monitor->console);
            if (terminal < 0) continue;
            close(monitor->streams[0].fd);
            monitor->streams[0].fd = terminal;
        }
    }
    return status;
}

static pid_t read_pid(const struct frame *request) {
    char *path = frame_string(request, FIELD_PID_PATH);
    FILE *file = path ? fopen(path, "re") : NULL;
    int pid = 0;
    if (file && fscanf(file, "%d", &pid) != 1) pid = 0;
    if (file) fclose(file);
    free(path);
    return pid;
}

static void start(struct monitor *monitor) {
    int output[2], errors[2];
    char text[TEXT_LIMIT];
    open_streams(monitor, output);
    if (pipe2(errors, O_CLOEXEC) < 0) fail(monitor, "pipes", errno, "");
    pid_t runtime = fork();
    if (runtime < 0) fail(monitor, "fork", errno, "");
    if (runtime == 0) launch(monitor->request, output, errors[1]);
    close(output[0]);
    close(output[1]);
    close(errors[1]);
    struct program_failure failure;
    if (read(errors[0], &failure, sizeof failure) == (ssize_t)sizeof failure) fail(monitor, failure.stage, failure.error, "");
    close(errors[0]);
    int status = wait_runtime(monitor, runtime);
    monitor->record.pid = status == 0 ? read_pid(monitor->request) : 0;
    if (monitor->record.pid <= 0) {
        runtime_text(monitor, text);
        fail(monitor, "runtime", 0, text);
    }
    monitor->record.started_at_ns = now_ns();
    struct buffer reply = {0};
    size_t position = frame_begin(&reply, FRAME_STARTED, 0);
    frame_add_u32(&reply, FIELD_PID, (uint32_t)monitor->record.pid);
    frame_add_u64(&reply, FIELD_STARTED_AT_NS, monitor->record.started_at_ns);
    frame_end(&reply, position);
    send_reply(monitor, &reply);
}

/* Reaps whatever has ended; true once the container's first process is among it. */
static bool reap(struct monitor *monitor) {
    int status;
    pid_t pid;
    drain_signals(monitor->signals);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != monitor->record.pid) continue;
        monitor->status = status;
        return true;
    }
    return pid < 0 && errno == ECHILD;
}

static void watch(struct monitor *monitor) {
    struct log_stream *streams = monitor->streams;
    for (bool exited = reap(monitor); !exited;) {
        struct pollfd polled[3 + CONTROL_CLIENTS + 1] = {{.fd = monitor->signals, .events = POLLIN}};
        for (int i = 0; i < 2; i++) polled[1 + i] = (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
        nfds_t used = 3 + control_prepare(&monitor->control, polled + 3);
        bool waiting = streams[0].length > 0 || streams[1].length > 0;
        int ready = poll(polled, used, waiting ? LINE_WAIT_MS : -1);
        for (int i = 0; i < 2; i++) {
            if (ready == 0) log_flush(&monitor->log, &streams[i]);
            if (ready > 0 && polled[1 + i].revents) log_copy(&monitor->log, &streams[i]);
        }
        if (ready <= 0) continue;
        control_serve(&monitor->control, polled + 3, &monitor->record);
        if (polled[0].revents) exited = reap(monitor);
    }
    monitor->record.exited_at_ns = now_ns();
}

/* All writers are dead by now: what is in the pipes is all there will be. */
static void drain_streams(struct monitor *monitor) {
    for (int i = 0; i < 2; i++) {
        struct log_stream *stream = &monitor->streams[i];
        struct pollfd polled = {.fd = stream->fd, .events = POLLIN};
        while (stream->fd >= 0 && poll(&polled, 1, 0) > 0 && log_copy(&monitor->log, stream)) {}
        log_flush(&monitor->log, stream);
    }
}

static uint64_t count_oom_kills(const struct frame *request) {
    size_t count;
    uint64_t kills = 0;
    char **paths = frame_strings(request, FIELD_OOM_FILE, &count);
    for (size_t i = 0; i < count; i++) {
        FILE *file = fopen(paths[i], "re");
        char line[128];
        unsigned long long number;
        while (file && fgets(line, sizeof line, file)) {
            if (sscanf(line, "oom_kill %llu", &number) == 1) kills += number;
        }
        if (file) fclose(file);
    }
    return kills;
}

/* The directory stays locked as long as this process lives, so no second monitor can begin for the same container. */
static bool lock_directory_of(const char *path) {
    char directory[4096];
    const char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) >= sizeof directory) return false;
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = 0;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void enter_background(void) {
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    prctl(PR_SET_NAME, "orch-monitor");
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (chdir("/") < 0) _exit(70);
}

_Noreturn void monitor_run(const struct frame *request, int reply) {
    static struct monitor monitor;
    monitor.request = request;
    monitor.reply = reply;
    monitor.console = -1;
    enter_background();
    monitor.signals = make_signals();
    char *log_path = frame_string(request, FIELD_LOG_PATH), *exit_path = frame_string(request, FIELD_EXIT_PATH);
    char *socket_path = frame_string(request, FIELD_CONTROL_SOCKET), *console_path = frame_string(request, FIELD_CONSOLE_SOCKET);
    control_init(&monitor.control);
    if (!log_path || !exit_path || !socket_path) fail(&monitor, "request", EINVAL, "");
    if (!lock_directory_of(exit_path)) fail(&monitor, "lock", errno, exit_path);
    if ((monitor.exit_file = exit_record_reserve(exit_path)) < 0) fail(&monitor, "exit file", errno, exit_path);
    if (!log_open(&monitor.log, log_path)) fail(&monitor, "log file", errno, log_path);
    if (!control_listen(&monitor.control, socket_path)) fail(&monitor, "control socket", errno, socket_path);
    if (console_path && (monitor.console = control_listen_at(console_path)) < 0) fail(&monitor, "console socket", errno, console_path);
    monitor.record.run_number = frame_string(request, FIELD_RUN_NUMBER);
    start(&monitor);
    if (monitor.console >= 0) {
        close(monitor.console);
        unlink(console_path);
    }
    watch(&monitor);
    drain_streams(&monitor);
    monitor.record.log_dropped_bytes = monitor.log.dropped;
    monitor.record.oom_kills = count_oom_kills(request);
    monitor.record.exit_code = WIFSIGNALED(monitor.status) ? 128 + WTERMSIG(monitor.status) : WEXITSTATUS(monitor.status);
    bool written = exit_record_write(&monitor.record, monitor.exit_file, exit_path);
    control_close(&monitor.control);
    _exit(written ? 0 : 1);
}
