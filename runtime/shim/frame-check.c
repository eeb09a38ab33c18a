/* For a test under sanitizers: reads inputs, each a u32 length and its bytes, and parses every frame in them. */
#include <stdio.h>
#include <stdlib.h>

#include "frame.h"

static void check_frame(const struct frame *frame) {
    size_t args = 0, environment = 0;
    char **strings = frame_strings(frame, FIELD_ARG, &args);
    strings_free(strings);
    strings_free(frame_strings(frame, FIELD_ENV, &environment));
    free(frame_string(frame, FIELD_TEXT));
    printf("type %u request %u args %zu number %u\n", frame->type, frame->request, args, frame_u32(frame, FIELD_EXIT_CODE, ~0u));
}

int main(void) {
    uint32_t length;
    while (fread(&length, 1, sizeof length, stdin) == sizeof length) {
        uint8_t *bytes = malloc(length); /* exact, so that reading one byte too far is found */
        if (length > 0 && fread(bytes, 1, length, stdin) != length) return 2;
        struct frame frame;
        size_t consumed, offset = 0;
        enum frame_result result;
        while ((result = frame_parse(bytes + offset, length - offset, &frame, &consumed)) == FRAME_READY) {
            check_frame(&frame);
            offset += consumed;
        }
        printf("end %u\n", result);
        free(bytes);
    }
    return 0;
}
