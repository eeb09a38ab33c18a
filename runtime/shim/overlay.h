/* Root file systems of containers: overlayfs in a mount namespace of the caller's own. */
#ifndef ORCH_OVERLAY_H
#define ORCH_OVERLAY_H

#include "frame.h"

struct overlay {
    /* Where it appears; an existing directory. */
    char *target;
    /* Layers, top first; at least one. */
    char **lower;
    size_t lower_count;
    /* Both NULL for a read-only view. */
    char *upper;
    char *work;
};

/* Reads the overlay fields of a request; false when they are incomplete. */
bool overlay_parse(const struct frame *request, struct overlay *overlay);

/*
 * Moves this process into a new mount namespace whose changes the host does not see, and mounts the
 * overlay there: it lives exactly as long as the processes that can see it. Returns NULL, or the
 * name of the step that failed with errno set.
 */
const char *overlay_mount(const struct overlay *overlay);

/*
 * Makes /dev, /proc and /sys of the mounted root where they are missing, and refuses what is no real
 * directory there: an OCI runtime may follow a link and write to the host. Returns NULL, or the name
 * of the directory that is refused.
 */
const char *overlay_check_root(const struct overlay *overlay);

/* Answers FRAME_READ_ROOT into `reply`: the content of files in the overlay, symlinks resolved inside of it. */
void overlay_read_files(const struct frame *request, struct buffer *reply);

#endif
