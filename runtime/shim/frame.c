#include "frame.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH_SIZE 4u
#define HEADER_SIZE 8u
#define FIELD_HEADER_SIZE 6u

static uint16_t read_u16(const uint8_t *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }

static uint32_t read_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void write_u32(uint8_t *bytes, uint32_t number) {
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(number >> 8 * i);
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length) {
    if (length == 0) return;
    if (buffer->capacity - buffer->length < length) {
        size_t capacity = buffer->capacity ? buffer->capacity : 512;
        while (capacity - buffer->length < length) capacity *= 2;
        uint8_t *grown = realloc(buffer->bytes, capacity);
        if (!grown) _exit(70);
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_consume(struct buffer *buffer, size_t length) {
    if (length == 0) return;
    memmove(buffer->bytes, buffer->bytes + length, buffer->length - length);
    buffer->length -= length;
}

void buffer_free(struct buffer *buffer) {
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

bool frame_next_field(const struct frame *frame, size_t *offset, struct field *field) {
    size_t left = frame->fields_length - *offset;
    if (left < FIELD_HEADER_SIZE) return false;
    const uint8_t *header = frame->fields + *offset;
    uint32_t length = read_u32(header + 2);
    if (left - FIELD_HEADER_SIZE < length) return false;
    *field = (struct field){.tag = read_u16(header), .bytes = header + FIELD_HEADER_SIZE, .length = length};
    *offset += FIELD_HEADER_SIZE + length;
    return true;
}

enum frame_result frame_parse(const uint8_t *bytes, size_t length, struct frame *frame, size_t *consumed) {
    if (length < LENGTH_SIZE) return FRAME_INCOMPLETE;
    uint32_t size = read_u32(bytes);
    if (size < HEADER_SIZE || size > FRAME_MAX) return FRAME_BROKEN;
    if (length - LENGTH_SIZE < size) return FRAME_INCOMPLETE;
    const uint8_t *header = bytes + LENGTH_SIZE;
    *frame = (struct frame){
        .version = header[0],
        .type = header[1],
        .request = read_u32(header + 4),
        .fields = header + HEADER_SIZE,
        .fields_length = size - HEADER_SIZE,
    };
    size_t offset = 0;
    struct field field;
    while (frame_next_field(frame, &offset, &field)) {}
    if (offset != frame->fields_length) return FRAME_BROKEN;
    *consumed = LENGTH_SIZE + (size_t)size;
    return FRAME_READY;
}

bool frame_field(const struct frame *frame, uint16_t tag, struct field *field) {
    size_t offset = 0;
    while (frame_next_field(frame, &offset, field)) {
        if (field->tag == tag) return true;
    }
    return false;
}

static char *field_text(const struct field *field) {
    if (field->length > 0 && memchr(field->bytes, 0, field->length)) return NULL;
    char *text = malloc((size_t)field->length + 1);
    if (!text) _exit(70);
    if (field->length > 0) memcpy(text, field->bytes, field->length);
    text[field->length] = 0;
    return text;
}

char *frame_string(const struct frame *frame, uint16_t tag) {
    struct field field;
    return frame_field(frame, tag, &field) ? field_text(&field) : NULL;
}

char **frame_strings(const struct frame *frame, uint16_t tag, size_t *count) {
    size_t offset = 0, total = 0, used = 0;
    struct field field;
    while (frame_next_field(frame, &offset, &field)) total += field.tag == tag;
    char **strings = calloc(total + 1, sizeof *strings);
    if (!strings) _exit(70);
    offset = 0;
    while (frame_next_field(frame, &offset, &field)) {
        if (field.tag != tag) continue;
        strings[used] = field_text(&field);
        used += strings[used] != NULL;
    }
    *count = used;
    return strings;
}

void strings_free(char **strings) {
    for (char **string = strings; *string; string++) free(*string);
    free(strings);
}

uint32_t frame_u32(const struct frame *frame, uint16_t tag, uint32_t missing) {
    struct field field;
    return frame_field(frame, tag, &field) && field.length == 4 ? read_u32(field.bytes) : missing;
}

size_t frame_begin(struct buffer *buffer, uint8_t type, uint32_t request) {
    size_t position = buffer->length;
    uint8_t header[LENGTH_SIZE + HEADER_SIZE] = {0};
    header[4] = FRAME_VERSION;
    header[5] = type;
    write_u32(header + 8, request);
    buffer_append(buffer, header, sizeof header);
    return position;
}

void frame_end(struct buffer *buffer, size_t position) {
    write_u32(buffer->bytes + position, (uint32_t)(buffer->length - position - LENGTH_SIZE));
}

void frame_add(struct buffer *buffer, uint16_t tag, const void *bytes, size_t length) {
    uint8_t header[FIELD_HEADER_SIZE] = {(uint8_t)tag, (uint8_t)(tag >> 8)};
    write_u32(header + 2, (uint32_t)length);
    buffer_append(buffer, header, sizeof header);
    buffer_append(buffer, bytes, length);
}

void frame_add_text(struct buffer *buffer, uint16_t tag, const char *text) { frame_add(buffer, tag, text, strlen(text)); }

void frame_add_u32(struct buffer *buffer, uint16_t tag, uint32_t number) {
    uint8_t bytes[4];
    write_u32(bytes, number);
    frame_add(buffer, tag, bytes, sizeof bytes);
}

void frame_add_u64(struct buffer *buffer, uint16_t tag, uint64_t number) {
    uint8_t bytes[8];
    write_u32(bytes, (uint32_t)number);
    write_u32(bytes + 4, (uint32_t)(number >> 32));
    frame_add(buffer, tag, bytes, sizeof bytes);
}
