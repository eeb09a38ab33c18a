/* The server's event loop and its connections. */
#ifndef ORCH_CLIENT_H
#define ORCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

struct event_loop {
    int epoll;
};

/* Something with a descriptor to wait on; embedded in what owns it. */
struct source {
    int fd;
    void (*ready)(struct source *source, uint32_t events);
    struct event_loop *loop; /* set by source_add */
};

bool event_loop_open(struct event_loop *loop);
/* Serves one event, so that its function may free any source. 0 when `timeout_ms` passed without one. */
int event_loop_turn(struct event_loop *loop, int timeout_ms);
bool source_add(struct event_loop *loop, struct source *source, uint32_t events);
void source_change(struct source *source, uint32_t events);
/* Stops waiting and closes the descriptor; harmless when it is closed already. */
void source_close(struct source *source);

struct client;
typedef void client_frame(struct client *client, const struct frame *frame);

void client_open(struct event_loop *loop, int fd, client_frame *on_frame, void (*on_closed)(void));
/* Sends and frees the frames in `frames`, now or when the socket takes them. */
void client_send(struct client *client, struct buffer *frames);
void client_send_failure(struct client *client, uint32_t request, const char *stage, int error);

/* Runs hold a client while they last; it is freed when it is closed and nobody holds it. */
struct client *client_hold(struct client *client);
void client_release(struct client *client);

#endif
