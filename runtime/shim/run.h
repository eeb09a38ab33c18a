/* Programs that the server runs to their end: FRAME_RUN. */
#ifndef ORCH_RUN_H
#define ORCH_RUN_H

#include "client.h"
#include "program.h"

/* Starts the program and answers FRAME_RUN_DONE when it has ended; a client that is gone by then changes nothing. */
void run_start(struct event_loop *loop, struct client *client, const struct frame *request);

/* Kills the program of this client's request with its process group. */
void run_cancel(struct client *client, uint32_t request);

/* How many run now. */
int run_count(void);

#endif
