#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "control.h"
#include "detached.h"
#include "run.h"

static struct event_loop loop;
static int active_clients;
static bool stopping;

/* A client that is to be welcomed once it can know the outcome of everything that began before it. */
struct greeting {
    struct greeting *next;
    struct client *client;
    uint32_t request;
};
static struct greeting *greetings;

static void add_greeting(struct client *client, uint32_t request) {
    struct greeting *greeting = calloc(1, sizeof *greeting);
    if (!greeting) _exit(70);
    *greeting = (struct greeting){.next = greetings, .client = client_hold(client), .request = request};
    greetings = greeting;
}

/*
 * A daemon that takes over from a killed one asks the monitors what runs. While a container is being
 * started its monitor may not listen yet, so the welcome waits for it.
 */
static void welcome_waiting(void) {
    while (greetings && detached_count() == 0) {
        struct greeting *greeting = greetings;
        struct buffer reply = {0};
        greetings = greeting->next;
        size_t position = frame_begin(&reply, FRAME_WELCOME, greeting->request);
        frame_add_u32(&reply, FIELD_PID, (uint32_t)getpid());
        frame_end(&reply, position);
        client_send(greeting->client, &reply);
        client_release(greeting->client);
        free(greeting);
    }
}

static void on_frame(struct client *client, const struct frame *frame) {
    switch (frame->type) {
    case FRAME_HELLO:
        add_greeting(client, frame->request);
        break;
    case FRAME_RUN:
        run_start(&loop, client, frame);
        break;
    case FRAME_CANCEL:
        run_cancel(client, frame->request);
        break;
    case FRAME_START:
    case FRAME_READ_ROOT:
        detached_start(&loop, client, frame);
        break;
    case FRAME_SHUTDOWN:
        stopping = true;
        break;
    default:
        client_send_failure(client, frame->request, "request type", ENOSYS);
    }
}

static void on_client_closed(void) { active_clients--; }

static void on_connection(struct source *source, uint32_t events) {
    (void)events;
    int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.uid != geteuid()) {
        close(fd);
        return;
    }
    active_clients++;
    client_open(&loop, fd, on_frame, on_client_closed);
}

/* One server a socket: the lock file outlives neither process nor crash. */
static bool take_lock(const char *path) {
    char lock[4096];
    if (snprintf(lock, sizeof lock, "%s.lock", path) >= (int)sizeof lock) return false;
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void announce_ready(void) {
    if (write(STDOUT_FILENO, "ready\n", 6) < 0) { /* whoever started us is gone; another may connect */
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
}

int server_run(const char *path, int idle_ms) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    umask(077);
    prctl(PR_SET_DUMPABLE, 0); /* nobody but root reads what programs are given */
    if (!take_lock(path)) return 3;
    static struct source listener = {.ready = on_connection};
    listener.fd = control_listen_at(path);
    if (listener.fd < 0) {
        perror(path);
        return 1;
    }
    program_close_from(3);
    if (!event_loop_open(&loop) || !source_add(&loop, &listener, EPOLLIN)) return 1;
    announce_ready();
    while (!stopping || run_count() > 0) {
        bool idle = active_clients == 0 && run_count() == 0;
        if (event_loop_turn(&loop, idle ? idle_ms : -1) == 0 && idle) break;
        welcome_waiting();
    }
    unlink(path);
    return 0;
}
