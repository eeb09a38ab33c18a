#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define INPUT_LIMIT 65536
#define RECORD_SIZE 512

static bool temporary_path(char temporary[4096], const char *path) { return snprintf(temporary, 4096, "%s.tmp", path) < 4096; }

int exit_record_reserve(const char *path) {
    char temporary[4096], blank[RECORD_SIZE];
    if (!temporary_path(temporary, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memset(blank, '\n', sizeof blank);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, blank, sizeof blank) == (ssize_t)sizeof blank) return fd;
    int error = fd < 0 ? errno : ENOSPC;
    if (fd >= 0) close(fd);
    unlink(temporary);
    errno = error;
    return -1;
}

bool exit_record_write(const struct exit_record *record, int reserved, const char *path) {
    char text[RECORD_SIZE], temporary[4096];
    int length = snprintf(text, sizeof text,
        "run=%s\npid=%d\nexit_code=%d\noom_kills=%" PRIu64 "\nstarted_at_ns=%" PRIu64 "\nexited_at_ns=%" PRIu64 "\nlog_dropped_bytes=%" PRIu64 "\n",
        record->run_number ? record->run_number : "", record->pid, record->exit_code, record->oom_kills, record->started_at_ns,
        record->exited_at_ns, record->log_dropped_bytes);
    if (length >= (int)sizeof text || !temporary_path(temporary, path)) return false;
    return pwrite(reserved, text, (size_t)length, 0) == length && ftruncate(reserved, length) == 0 && fsync(reserved) == 0 && rename(temporary, path) == 0;
}

void control_init(struct control *control) {
    *control = (struct control){.listener = -1};
    for (int i = 0; i < CONTROL_CLIENTS; i++) control->clients[i] = -1;
}

int control_listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0;
    umask(mask);
    if (ok) return fd;
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return -1;
}

bool control_listen(struct control *control, const char *path) {
    control->listener = control_listen_at(path);
    if (control->listener < 0) return false;
    strcpy(control->path, path);
    return true;
}

nfds_t control_prepare(const struct control *control, struct pollfd *polled) {
    polled[0] = (struct pollfd){.fd = control->listener, .events = POLLIN};
    for (int i = 0; i < CONTROL_CLIENTS; i++) polled[1 + i] = (struct pollfd){.fd = control->clients[i], .events = POLLIN};
    return 1 + CONTROL_CLIENTS;
}

static void hang_up(struct control *control, int index) {
    close(control->clients[index]);
    control->clients[index] = -1;
    buffer_free(&control->input[index]);
}

static void accept_client(struct control *control) {
    int client = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        if (control->clients[i] >= 0) continue;
        control->clients[i] = client;
        return;
    }
    close(client);
}

static void answer(const struct frame *frame, const struct exit_record *record, struct buffer *reply) {
    bool known = frame->version == FRAME_VERSION && (frame->type == FRAME_SIGNAL || frame->type == FRAME_STATUS);
    int error = known ? 0 : ENOSYS;
    if (known && frame->type == FRAME_SIGNAL) {
        error = kill(record->pid, (int)frame_u32(frame, FIELD_SIGNAL, 0)) < 0 ? errno : 0;
    }
    size_t position = frame_begin(reply, error ? FRAME_FAILED : FRAME_OK, frame->request);
    if (error) frame_add_u32(reply, FIELD_ERRNO, (uint32_t)error);
    frame_add_u32(reply, FIELD_PID, (uint32_t)record->pid);
    frame_add_u64(reply, FIELD_STARTED_AT_NS, record->started_at_ns);
    if (record->run_number) frame_add_text(reply, FIELD_RUN_NUMBER, record->run_number);
    frame_end(reply, position);
}

/* False when the client is to be hung up on. */
static bool serve_client(int fd, struct buffer *input, const struct exit_record *record) {
    uint8_t chunk[4096];
    ssize_t count = read(fd, chunk, sizeof chunk);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (count <= 0) return false;
    buffer_append(input, chunk, (size_t)count);
    struct frame frame;
    struct buffer reply = {0};
    size_t consumed;
    enum frame_result result;
    while ((result = frame_parse(input->bytes, input->length, &frame, &consumed)) == FRAME_READY) {
        answer(&frame, record, &reply);
        buffer_consume(input, consumed);
    }
    /* Answers are small: a client that does not read them is broken. */
    bool sent = send(fd, reply.bytes, reply.length, MSG_NOSIGNAL) == (ssize_t)reply.length;
    buffer_free(&reply);
    return sent && result == FRAME_INCOMPLETE && input->length < INPUT_LIMIT;
}

void control_serve(struct control *control, const struct pollfd *polled, const struct exit_record *record) {
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        if (!polled[1 + i].revents || control->clients[i] < 0) continue;
        if (!serve_client(control->clients[i], &control->input[i], record)) hang_up(control, i);
    }
    if (polled[0].revents & POLLIN) accept_client(control);
}

void control_close(struct control *control) {
    if (control->listener < 0) return;
    unlink(control->path);
    close(control->listener);
    control->listener = -1;
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        if (control->clients[i] >= 0) hang_up(control, i);
    }
}

int control_receive_terminal(int listener) {
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) return -1;
    char byte[256];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = byte, .iov_len = sizeof byte};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    int terminal = -1;
    if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) > 0) {
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
            memcpy(&terminal, CMSG_DATA(header), sizeof terminal);
            fcntl(terminal, F_SETFL, O_NONBLOCK);
        }
    }
    close(connection);
    return terminal;
}
