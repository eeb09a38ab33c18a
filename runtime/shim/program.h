/* Starting a child process with nothing of ours left in it. */
#ifndef ORCH_PROGRAM_H
#define ORCH_PROGRAM_H

#include <sys/types.h>

struct program {
    char **argv;
    /* NULL keeps our own environment. */
    char **environment;
    const char *cwd;
    /* Path of a network namespace to enter, or NULL. */
    const char *netns;
    int stdin_fd, stdout_fd, stderr_fd;
};

/* Why a child could not exec; goes through a pipe that exec closes. */
struct program_failure {
    int error;
    char stage[28];
};

/*
 * Turns this (already forked) process into the program: standard streams, default signals, no other
 * descriptors, own namespace and directory. Returns only on failure, with the reason.
 */
struct program_failure program_exec(const struct program *program);

/* Default signal dispositions and an empty mask, as a program expects at its start. */
void program_reset_signals(void);

/* Marks every descriptor from `first` up close-on-exec. */
void program_close_from(int first);

#endif
