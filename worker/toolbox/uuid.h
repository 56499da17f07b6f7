#ifndef FSD_WORKER_TOOLBOX_UUID_H
#define FSD_WORKER_TOOLBOX_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UUIDs (RFC 9562).  Pure: random bytes and the time are passed in. */

enum { UUID_BYTES = 16, UUID_TEXT_LEN = 36 };

/* What those of version 7 that one process makes have between them, so that each is greater than the one before. */
struct uuid_order {
    uint64_t at_ms;
    unsigned counter; /* 12 bits */
};

/* Makes random bytes a UUID of version 4. */
void uuid_make_v4(uint8_t bytes[UUID_BYTES]);
/* Makes random bytes a UUID of version 7: now_ms is the time since 1970. */
void uuid_make_v7(struct uuid_order *order, uint64_t now_ms, uint8_t bytes[UUID_BYTES]);
/* Small letters, no NUL. */
void uuid_format(const uint8_t bytes[UUID_BYTES], char text[UUID_TEXT_LEN]);
/* The form with hyphens, letters of either case, and nothing else. */
bool uuid_parse(const char *text, size_t len, uint8_t bytes[UUID_BYTES]);

#endif
