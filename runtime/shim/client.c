#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    struct source source; /* first, so that a source of a client is the client */
    client_frame *on_frame;
    void (*on_closed)(void);
    struct buffer input, output;
    int holders;
};

bool event_loop_open(struct event_loop *loop) { return (loop->epoll = epoll_create1(EPOLL_CLOEXEC)) >= 0; }

int event_loop_turn(struct event_loop *loop, int timeout_ms) {
    struct epoll_event event;
    int count = epoll_wait(loop->epoll, &event, 1, timeout_ms);
    if (count == 1) {
        struct source *source = event.data.ptr;
        source->ready(source, event.events);
    }
    return count;
}

bool source_add(struct event_loop *loop, struct source *source, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = source};
    source->loop = loop;
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

void source_change(struct source *source, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = source};
    epoll_ctl(source->loop->epoll, EPOLL_CTL_MOD, source->fd, &event);
}

void source_close(struct source *source) {
    if (source->fd < 0) return;
    /* Closing alone is not enough: a child between fork and exec still holds the same open file. */
    if (source->loop) epoll_ctl(source->loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    close(source->fd);
    source->fd = -1;
}

static void free_when_unused(struct client *client) {
    if (client->source.fd >= 0 || client->holders > 0) return;
    buffer_free(&client->input);
    buffer_free(&client->output);
    free(client);
}

static void close_client(struct client *client) {
    if (client->source.fd < 0) return;
    source_close(&client->source);
    client->on_closed();
}

struct client *client_hold(struct client *client) {
    client->holders++;
    return client;
}

void client_release(struct client *client) {
    client->holders--;
    free_when_unused(client);
}

static void flush_output(struct client *client) {
    while (client->output.length > 0) {
        ssize_t count = send(client->source.fd, client->output.bytes, client->output.length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN) {
            close_client(client);
            return;
        }
        if (count < 0) break;
        buffer_consume(&client->output, (size_t)count);
    }
    source_change(&client->source, EPOLLIN | (client->output.length > 0 ? EPOLLOUT : 0u));
}

void client_send(struct client *client, struct buffer *frames) {
    if (client->source.fd >= 0) {
        buffer_append(&client->output, frames->bytes, frames->length);
        flush_output(client);
    }
    buffer_free(frames);
}

void client_send_failure(struct client *client, uint32_t request, const char *stage, int error) {
    struct buffer reply = {0};
    size_t position = frame_begin(&reply, FRAME_FAILED, request);
    frame_add_text(&reply, FIELD_STAGE, stage);
    frame_add_u32(&reply, FIELD_ERRNO, (uint32_t)error);
    frame_end(&reply, position);
    client_send(client, &reply);
}

/* False at the end of the stream, or when the bytes are no frames. */
static bool read_input(struct client *client) {
    uint8_t chunk[65536];
    ssize_t count = read(client->source.fd, chunk, sizeof chunk);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (count <= 0) return false;
    buffer_append(&client->input, chunk, (size_t)count);
    struct frame frame;
    size_t consumed, offset = 0;
    enum frame_result result;
    while ((result = frame_parse(client->input.bytes + offset, client->input.length - offset, &frame, &consumed)) == FRAME_READY) {
        if (frame.version != FRAME_VERSION) return false;
        client->on_frame(client, &frame);
        offset += consumed;
    }
    buffer_consume(&client->input, offset);
    return result == FRAME_INCOMPLETE;
}

static void on_ready(struct source *source, uint32_t events) {
    struct client *client = (struct client *)source;
    client_hold(client);
    if (events & EPOLLOUT) flush_output(client);
    if (source->fd >= 0 && events & ~(uint32_t)EPOLLOUT && !read_input(client)) close_client(client);
    client_release(client);
}

void client_open(struct event_loop *loop, int fd, client_frame *on_frame, void (*on_closed)(void)) {
    struct client *client = calloc(1, sizeof *client);
    if (!client) _exit(70);
    *client = (struct client){.source = {.fd = fd, .ready = on_ready}, .on_frame = on_frame, .on_closed = on_closed};
    if (source_add(loop, &client->source, EPOLLIN)) return;
    close_client(client);
    free_when_unused(client);
}
