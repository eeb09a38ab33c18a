/* One small process per container: its parent, its log writer, and the witness of its end. */
#ifndef ORCH_MONITOR_H
#define ORCH_MONITOR_H

#include "frame.h"

/*
 * Runs FRAME_START in an already detached process: starts the container through its OCI runtime,
 * answers FRAME_STARTED or FRAME_FAILED into the pipe `reply` (and closes it), then stays until the
 * container has exited and its exit file is durable. Never returns.
 */
_Noreturn void monitor_run(const struct frame *request, int reply);

#endif
