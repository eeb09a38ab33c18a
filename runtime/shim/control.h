/* The monitor's own socket: its connections end when the container has, and carry signals to it. */
#ifndef ORCH_CONTROL_H
#define ORCH_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

#define CONTROL_CLIENTS 16

/* What the exit file says. */
struct exit_record {
    const char *run_number;
    pid_t pid;
    int exit_code;
    uint64_t started_at_ns;
    uint64_t exited_at_ns;
    uint64_t oom_kills;
    uint64_t log_dropped_bytes;
};

/* Makes the file beside `path` that will become the exit file, with its space on the disk taken already. Its descriptor, or -1 with errno. */
int exit_record_reserve(const char *path);
/* Writes `key=value` lines into the reserved file, syncs, renames it to `path`. */
bool exit_record_write(const struct exit_record *record, int reserved, const char *path);

struct control {
    int listener;
    char path[108];
    int clients[CONTROL_CLIENTS];
    struct buffer input[CONTROL_CLIENTS];
};

void control_init(struct control *control);
bool control_listen(struct control *control, const char *path);
/* A listening stream socket at `path`, replacing what is there; -1 with errno. */
int control_listen_at(const char *path);
/* Fills at most 1 + CONTROL_CLIENTS entries; returns how many. */
nfds_t control_prepare(const struct control *control, struct pollfd *polled);
/* Accepts and answers; `polled` is what control_prepare filled. Signals go to `record->pid`, which must not have been reaped. */
void control_serve(struct control *control, const struct pollfd *polled, const struct exit_record *record);
/* Removes the socket and hangs up on all clients. */
void control_close(struct control *control);
/* Accepts one connection and takes the descriptor it sends: the container's terminal. -1 on failure. */
int control_receive_terminal(int listener);

#endif
