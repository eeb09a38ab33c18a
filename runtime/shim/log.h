/* A container's log: one stamped line per record, `TIME STREAM F|P text`, as Kubernetes' CRI writes it. */
#ifndef ORCH_LOG_H
#define ORCH_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define LOG_LINE_MAX 16384

struct log_file {
    int fd;
    off_t size;
    /* Bytes of output that could not be written: the disk is full or broken. */
    uint64_t dropped;
};

/* One stream of a container on its way into the log; a line waits here until it ends. */
struct log_stream {
    int fd;
    const char *name;
    struct timespec begun;
    size_t length;
    char line[LOG_LINE_MAX];
};

/* Opens for appending; false with errno. */
bool log_open(struct log_file *log, const char *path);

/* Reads what is there and logs the lines that are complete. False at the end of the stream, whose fd is then closed and -1. */
bool log_copy(struct log_file *log, struct log_stream *stream);

/* Logs an unfinished line as a partial record. */
void log_flush(struct log_file *log, struct log_stream *stream);

#endif
