#define _GNU_SOURCE
#include "detached.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor.h"
#include "overlay.h"
#include "program.h"

/* The pipe that the answer comes through. */
struct answer {
    struct source source; /* first: a source of an answer is the answer */
    struct client *client;
    uint32_t request;
    struct buffer content;
};

static int pending;

int detached_count(void) { return pending; }

static void finish(struct answer *answer) {
    struct frame frame;
    size_t consumed;
    source_close(&answer->source);
    if (frame_parse(answer->content.bytes, answer->content.length, &frame, &consumed) == FRAME_READY) {
        for (int i = 0; i < 4; i++) answer->content.bytes[8 + i] = (uint8_t)(answer->request >> 8 * i);
        client_send(answer->client, &answer->content);
    } else {
        client_send_failure(answer->client, answer->request, "monitor", ECHILD);
    }
    buffer_free(&answer->content);
    client_release(answer->client);
    free(answer);
    pending--;
}

static void on_answer(struct source *source, uint32_t events) {
    (void)events;
    struct answer *answer = (struct answer *)source;
    uint8_t chunk[65536];
    ssize_t length = read(source->fd, chunk, sizeof chunk);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) finish(answer);
    else buffer_append(&answer->content, chunk, (size_t)length);
}

static _Noreturn void read_root(const struct frame *request, int reply) {
    struct buffer content = {0};
    overlay_read_files(request, &content);
    size_t done = 0;
    while (done < content.length) {
        ssize_t count = write(reply, content.bytes + done, content.length - done);
        if (count <= 0) break;
        done += (size_t)count;
    }
    _exit(0);
}

/* In the first child: forks once more and leaves, so that init adopts the second. */
static _Noreturn void detach(const struct frame *request, int reply) {
    program_reset_signals();
    pid_t pid = fork();
    if (pid != 0) _exit(pid < 0);
    int moved = fcntl(reply, F_DUPFD_CLOEXEC, 3);
    if (moved != 3) { /* all else of the server must go; only the answer's pipe stays */
        dup2(moved, 3);
        fcntl(3, F_SETFD, FD_CLOEXEC);
    }
    syscall(SYS_close_range, 4u, ~0u, 0);
    if (request->type == FRAME_START) monitor_run(request, 3);
    read_root(request, 3);
}

void detached_start(struct event_loop *loop, struct client *client, const struct frame *request) {
    int ends[2] = {-1, -1}, status = 0;
    struct answer *answer = calloc(1, sizeof *answer);
    if (!answer) _exit(70);
    pid_t pid = pipe2(ends, O_CLOEXEC) < 0 ? -1 : fork();
    if (pid == 0) detach(request, ends[1]);
    int error = errno;
    if (ends[1] >= 0) close(ends[1]);
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) {
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        *answer = (struct answer){.source = {.fd = ends[0], .ready = on_answer}, .client = client_hold(client), .request = request->request};
        source_add(loop, &answer->source, EPOLLIN);
        pending++;
        return;
    }
    if (ends[0] >= 0) close(ends[0]);
    free(answer);
    client_send_failure(client, request->request, "fork", pid < 0 ? error : EAGAIN);
}
