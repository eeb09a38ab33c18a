/*
 * Frames between the daemon, the fork server and the monitors.
 *
 * A frame is: u32 length of what follows | u8 version | u8 type | u16 zero | u32 request | fields.
 * A field is: u16 tag | u32 length | bytes. Numbers are little-endian. Fields with unknown tags are
 * skipped, so either side may be newer. runtime/shim/frames.ts is the same table in TypeScript.
 */
#ifndef ORCH_FRAME_H
#define ORCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_VERSION 1
#define FRAME_MAX (16u << 20)

enum frame_type {
    FRAME_HELLO = 1,
    FRAME_WELCOME = 2,
    FRAME_RUN = 3,
    FRAME_RUN_DONE = 4,
    FRAME_CANCEL = 5,
    FRAME_START = 6,
    FRAME_STARTED = 7,
    FRAME_FAILED = 8,
    FRAME_READ_ROOT = 9,
    FRAME_ROOT_FILES = 10,
    FRAME_SHUTDOWN = 11,
    FRAME_SIGNAL = 20,
    FRAME_OK = 21,
    FRAME_STATUS = 22,
};

enum field_tag {
    FIELD_ARG = 1,
    FIELD_ENV = 2,
    FIELD_CWD = 3,
    FIELD_NETNS = 4,
    FIELD_STDIN = 5,
    FIELD_OUTPUT_LIMIT = 6,
    FIELD_STDOUT = 7,
    FIELD_STDERR = 8,
    FIELD_EXIT_CODE = 9,
    FIELD_STAGE = 10,
    FIELD_ERRNO = 11,
    FIELD_TEXT = 12,
    FIELD_PID = 13,
    FIELD_STARTED_AT_NS = 14,
    FIELD_SIGNAL = 15,
    FIELD_CONTROL_SOCKET = 20,
    FIELD_LOG_PATH = 21,
    FIELD_EXIT_PATH = 22,
    FIELD_PID_PATH = 23,
    FIELD_RUNTIME_LOG = 24,
    FIELD_OOM_FILE = 25,
    FIELD_CONSOLE_SOCKET = 26,
    FIELD_RUN_NUMBER = 27,
    FIELD_OVERLAY_TARGET = 30,
    FIELD_OVERLAY_LOWER = 31,
    FIELD_OVERLAY_UPPER = 32,
    FIELD_OVERLAY_WORK = 33,
    FIELD_PATH = 40,
    FIELD_CONTENT = 41,
};

/* Bytes that grow; exits the process when memory runs out. */
struct buffer {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
/* Drops the first `length` bytes. */
void buffer_consume(struct buffer *buffer, size_t length);
void buffer_free(struct buffer *buffer);

struct frame {
    uint8_t version;
    uint8_t type;
    uint32_t request;
    const uint8_t *fields;
    size_t fields_length;
};

struct field {
    uint16_t tag;
    const uint8_t *bytes;
    uint32_t length;
};

enum frame_result { FRAME_INCOMPLETE, FRAME_READY, FRAME_BROKEN };

/* The first frame of `length` bytes; it points into them. `consumed` is its whole size when ready. */
enum frame_result frame_parse(const uint8_t *bytes, size_t length, struct frame *frame, size_t *consumed);

/* Steps through the fields of a parsed frame; `offset` begins at 0. False at the end. */
bool frame_next_field(const struct frame *frame, size_t *offset, struct field *field);

/* The first field with this tag. */
bool frame_field(const struct frame *frame, uint16_t tag, struct field *field);

/* A copy of the first such field as text, to be freed; NULL when missing or when it holds a NUL byte. */
char *frame_string(const struct frame *frame, uint16_t tag);

/* Copies of all such fields as a NULL-terminated array, and their number; texts with a NUL byte are left out. */
char **frame_strings(const struct frame *frame, uint16_t tag, size_t *count);
void strings_free(char **strings);

/* The first such field as a 32-bit number, or `missing`. */
uint32_t frame_u32(const struct frame *frame, uint16_t tag, uint32_t missing);

/* Begins a frame in `buffer` and returns its position for `frame_end`. */
size_t frame_begin(struct buffer *buffer, uint8_t type, uint32_t request);
void frame_end(struct buffer *buffer, size_t position);
void frame_add(struct buffer *buffer, uint16_t tag, const void *bytes, size_t length);
void frame_add_text(struct buffer *buffer, uint16_t tag, const char *text);
void frame_add_u32(struct buffer *buffer, uint16_t tag, uint32_t number);
void frame_add_u64(struct buffer *buffer, uint16_t tag, uint64_t number);

#endif
