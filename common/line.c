/* line.c - newline-delimited framing over a byte stream.
 * Owns one growing buffer.  Lines are handed out in place, by offset; the rest is moved to the front only when more bytes
 * are added, and the search for the newline goes on where it stopped, so a line that comes byte by byte costs
 * no second look at its beginning.
 * Called by the two ends of the control socket, daemon/control/control_peer.c and ctl/client.c.
 * Pure: must not read or write a socket, nor know what a line says. */
#include "common/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 4096 };

void line_init(struct line *line, size_t line_max)
{
    *line = (struct line){.line_max = line_max};
}

void line_fini(struct line *line)
{
    free(line->data);
    *line = (struct line){.line_max = line->line_max};
}

static int reserve(struct line *line, size_t len)
{
    size_t needed = line->end + len;
    if (needed <= line->capacity) {
        return 0;
    }
    size_t capacity = line->capacity != 0 ? line->capacity : CAPACITY_FIRST;
    while (capacity < needed) {
        capacity *= 2;
    }
    char *data = realloc(line->data, capacity);
    if (data == NULL) {
        return -ENOMEM;
    }
    line->data = data;
    line->capacity = capacity;
    return 0;
}

int line_append(struct line *line, const void *bytes, size_t len)
{
    if (len == 0) {
        return 0;
    }
    if (line->end - line->start > line->line_max) {
        return -EMSGSIZE;
    }
    if (line->start > 0) {
        memmove(line->data, line->data + line->start, line->end - line->start);
        line->scanned -= line->start;
        line->end -= line->start;
        line->start = 0;
    }
    int r = reserve(line, len);
    if (r < 0) {
        return r;
    }
    memcpy(line->data + line->end, bytes, len);
    line->end += len;
    return 0;
}

int line_next(struct line *line, char **ret_text, size_t *ret_len)
{
    if (line->start == line->end) {
        return 0;
    }
    char *newline = memchr(line->data + line->scanned, '\n', line->end - line->scanned);
    size_t stop = newline != NULL ? (size_t)(newline - line->data) : line->end;
    line->scanned = stop;
    if (stop - line->start > line->line_max) {
        return -EMSGSIZE;
    }
    if (newline == NULL) {
        return 0;
    }
    *newline = '\0';
    *ret_text = line->data + line->start;
    *ret_len = stop - line->start;
    line->start = stop + 1;
    line->scanned = line->start;
    return 1;
}

bool line_is_partial(const struct line *line)
{
    return line->end > line->start;
}
