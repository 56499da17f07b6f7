#ifndef FSD_WORKER_HTTP_TEXT_BYTE_RANGE_H
#define FSD_WORKER_HTTP_TEXT_BYTE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Range header (RFC 9110 §14.2).  Pure; nothing is allocated. */

enum { BYTE_RANGE_MAX = 16 }; /* more in one request are not answered */

struct byte_range {
    uint64_t first;
    uint64_t last; /* inclusive */
};

/* Whether the header's unit is bytes, the only one that is served. */
bool byte_range_is_bytes(const char *text, size_t len);
/* The ranges of a representation of size units, cut off at its end, in the order of the header; ranges that can't be satisfied are
 * left out.  The unit is not looked at.  With combine, those that overlap or touch become one.  Returns how many (1 to
 * BYTE_RANGE_MAX), -EINVAL: malformed (no "unit=", or one of them is no range), -ERANGE: none can be satisfied, -E2BIG: more
 * than BYTE_RANGE_MAX. */
int byte_range_parse(const char *text, size_t len, uint64_t size, bool combine,
                     struct byte_range ranges[BYTE_RANGE_MAX]);

#endif
