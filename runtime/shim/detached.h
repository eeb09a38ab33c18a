/* Requests that a process of their own answers: FRAME_START (a monitor that stays) and FRAME_READ_ROOT. */
#ifndef ORCH_DETACHED_H
#define ORCH_DETACHED_H

#include "client.h"

/* Forks the process, away from the server so that neither's death touches the other, and passes its one answer on to the client. */
void detached_start(struct event_loop *loop, struct client *client, const struct frame *request);

/* How many have not answered yet. */
int detached_count(void);

#endif
