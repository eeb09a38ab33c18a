#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"

bool log_open(struct log_file *log, const char *path) {
    struct stat status;
    *log = (struct log_file){.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640)};
    if (log->fd < 0 || fstat(log->fd, &status) < 0) return false;
    log->size = status.st_size;
    return true;
}

static void append_record(struct buffer *records, const struct log_stream *stream, const char *text, size_t length, char tag) {
    char head[64];
    struct tm utc;
    gmtime_r(&stream->begun.tv_sec, &utc);
    size_t used = strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(head + used, sizeof head - used, ".%09ldZ %s %c ", stream->begun.tv_nsec, stream->name, tag);
    buffer_append(records, head, used);
    buffer_append(records, text, length);
    buffer_append(records, "\n", 1);
}

/* All or nothing: a torn record would spoil the next one. */
static void write_records(struct log_file *log, struct buffer *records) {
    size_t done = 0;
    while (done < records->length) {
        ssize_t count = write(log->fd, records->bytes + done, records->length - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        done += (size_t)count;
    }
    if (done == records->length) {
        log->size += (off_t)done;
    } else {
        log->dropped += records->length;
        if (ftruncate(log->fd, log->size) < 0) log->size += (off_t)done;
    }
    buffer_free(records);
}

void log_flush(struct log_file *log, struct log_stream *stream) {
    if (stream->length == 0) return;
    struct buffer records = {0};
    append_record(&records, stream, stream->line, stream->length, 'P');
    stream->length = 0;
    write_records(log, &records);
}

bool log_copy(struct log_file *log, struct log_stream *stream) {
    ssize_t count = read(stream->fd, stream->line + stream->length, LOG_LINE_MAX - stream->length);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (count <= 0) { /* a terminal whose other side is closed answers EIO */
        close(stream->fd);
        stream->fd = -1;
        return false;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (stream->length == 0) stream->begun = now;
    stream->length += (size_t)count;
    struct buffer records = {0};
    size_t start = 0;
    char *newline;
    while ((newline = memchr(stream->line + start, '\n', stream->length - start))) {
        size_t end = (size_t)(newline - stream->line);
        append_record(&records, stream, stream->line + start, end - start, 'F');
        stream->begun = now;
        start = end + 1;
    }
    if (start == 0 && stream->length == LOG_LINE_MAX) {
        append_record(&records, stream, stream->line, stream->length, 'P');
        start = stream->length;
    }
    stream->length -= start;
    memmove(stream->line, stream->line + start, stream->length);
    write_records(log, &records);
    return true;
}
