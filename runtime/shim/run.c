#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_LIMIT (1u << 20)

struct run;

struct stream {
    struct source source; /* first: a source of a stream is the stream */
    struct run *run;
    struct buffer content;
    size_t offset; /* of what was written to standard input */
};

struct run {
    struct source ended; /* pidfd; first: a source of a run is the run */
    struct run *next;
    struct client *client;
    uint32_t request;
    uint32_t limit;
    pid_t pid;
    int failure; /* pipe that says why exec failed */
    struct stream streams[3];
};

static struct run *runs;
static int count;

int run_count(void) { return count; }

static void unlink_run(struct run *run) {
    for (struct run **link = &runs; *link; link = &(*link)->next) {
        if (*link != run) continue;
        *link = run->next;
        count--;
        return;
    }
}

static void free_run(struct run *run) {
    unlink_run(run);
    for (int i = 0; i < 3; i++) {
        source_close(&run->streams[i].source);
        buffer_free(&run->streams[i].content);
    }
    source_close(&run->ended);
    if (run->failure >= 0) close(run->failure);
    client_release(run->client);
    free(run);
}

/* Reads one chunk; false when there is nothing more now. Closes the stream at its end. */
static bool read_stream(struct stream *stream) {
    uint8_t chunk[65536];
    if (stream->source.fd < 0) return false;
    ssize_t length = read(stream->source.fd, chunk, sizeof chunk);
    if (length < 0 && errno == EINTR) return true;
    if (length < 0 && errno == EAGAIN) return false;
    if (length <= 0) {
        source_close(&stream->source);
        return false;
    }
    size_t room = stream->run->limit - stream->content.length;
    buffer_append(&stream->content, chunk, (size_t)length < room ? (size_t)length : room);
    return true;
}

static void on_output(struct source *source, uint32_t events) {
    (void)events;
    read_stream((struct stream *)source);
}

static void on_input(struct source *source, uint32_t events) {
    (void)events;
    struct stream *stream = (struct stream *)source;
    ssize_t length = write(source->fd, stream->content.bytes + stream->offset, stream->content.length - stream->offset);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length > 0) stream->offset += (size_t)length;
    if (length <= 0 || stream->offset == stream->content.length) source_close(source);
}

static void on_ended(struct source *source, uint32_t events) {
    (void)events;
    struct run *run = (struct run *)source;
    int status;
    if (waitpid(run->pid, &status, WNOHANG) != run->pid) return;
    for (int i = 1; i < 3; i++) {
        while (read_stream(&run->streams[i])) {}
    }
    struct program_failure failure;
    struct buffer reply = {0};
    size_t position = frame_begin(&reply, FRAME_RUN_DONE, run->request);
    if (read(run->failure, &failure, sizeof failure) == (ssize_t)sizeof failure) {
        frame_add_text(&reply, FIELD_STAGE, failure.stage);
        frame_add_u32(&reply, FIELD_ERRNO, (uint32_t)failure.error);
    }
    frame_add_u32(&reply, FIELD_EXIT_CODE, (uint32_t)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)));
    frame_add(&reply, FIELD_STDOUT, run->streams[1].content.bytes, run->streams[1].content.length);
    frame_add(&reply, FIELD_STDERR, run->streams[2].content.bytes, run->streams[2].content.length);
    frame_end(&reply, position);
    client_send(run->client, &reply);
    free_run(run);
}

static _Noreturn void exec_child(const struct frame *request, int ends[3], int failure_pipe) {
    size_t unused;
    setpgid(0, 0);
    struct program program = {
        .argv = frame_strings(request, FIELD_ARG, &unused),
        .environment = frame_strings(request, FIELD_ENV, &unused),
        .cwd = frame_string(request, FIELD_CWD),
        .netns = frame_string(request, FIELD_NETNS),
        .stdin_fd = ends[0],
        .stdout_fd = ends[1],
        .stderr_fd = ends[2],
    };
    struct program_failure failure = {.error = EINVAL, .stage = "arguments"};
    if (program.argv[0]) failure = program_exec(&program);
    if (write(failure_pipe, &failure, sizeof failure) < 0) _exit(126);
    _exit(127);
}

static bool make_pipe(int ours_is_write, int *ours, int *theirs) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return false;
    *ours = ends[ours_is_write];
    *theirs = ends[!ours_is_write];
    fcntl(*ours, F_SETFL, O_NONBLOCK);
    return true;
}

/* All descriptors of a run; false when the process has no more of them. */
static bool open_streams(struct run *run, int theirs[3], int *failure_write) {
    for (int i = 0; i < 3; i++) {
        if (!make_pipe(i == 0, &run->streams[i].source.fd, &theirs[i])) return false;
    }
    return make_pipe(0, &run->failure, failure_write);
}

static void watch_run(struct event_loop *loop, struct run *run) {
    struct stream *input = &run->streams[0];
    source_add(loop, &run->ended, EPOLLIN);
    source_add(loop, &run->streams[1].source, EPOLLIN);
    source_add(loop, &run->streams[2].source, EPOLLIN);
    if (input->content.length == 0) source_close(&input->source);
    else source_add(loop, &input->source, EPOLLOUT);
}

void run_start(struct event_loop *loop, struct client *client, const struct frame *request) {
    struct run *run = calloc(1, sizeof *run);
    if (!run) _exit(70);
    int theirs[3] = {-1, -1, -1}, failure_write = -1;
    struct field input;
    *run = (struct run){.ended = {.fd = -1, .ready = on_ended}, .next = runs, .client = client_hold(client), .request = request->request, .failure = -1};
    run->limit = frame_u32(request, FIELD_OUTPUT_LIMIT, OUTPUT_LIMIT);
    for (int i = 0; i < 3; i++) {
        run->streams[i].run = run;
        run->streams[i].source = (struct source){.fd = -1, .ready = i == 0 ? on_input : on_output};
    }
    if (frame_field(request, FIELD_STDIN, &input)) buffer_append(&run->streams[0].content, input.bytes, input.length);
    runs = run;
    count++;
    run->pid = open_streams(run, theirs, &failure_write) ? fork() : -1;
    if (run->pid == 0) exec_child(request, theirs, failure_write);
    int error = errno;
    for (int i = 0; i < 3; i++) {
        if (theirs[i] >= 0) close(theirs[i]);
    }
    if (failure_write >= 0) close(failure_write);
    if (run->pid > 0) {
        setpgid(run->pid, run->pid); /* also here, so that a cancel right now finds the group */
        run->ended.fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    }
    if (run->ended.fd >= 0) {
        watch_run(loop, run);
        return;
    }
    if (run->pid > 0) {
        error = errno;
        kill(-run->pid, SIGKILL);
        waitpid(run->pid, NULL, 0);
    }
    client_send_failure(client, request->request, "fork", error);
    free_run(run);
}

void run_cancel(struct client *client, uint32_t request) {
    for (struct run *run = runs; run; run = run->next) {
        if (run->client == client && run->request == request) kill(-run->pid, SIGKILL);
    }
}
