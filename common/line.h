#ifndef FSD_COMMON_LINE_H
#define FSD_COMMON_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Cuts a stream of bytes into lines, whatever pieces it comes in. */

struct line {
    char *data; /* owned */
    size_t capacity;
    size_t start;   /* of what line_next has not handed out */
    size_t scanned; /* no newline stands before this */
    size_t end;
    size_t line_max; /* without the newline */
};

void line_init(struct line *line, size_t line_max);
void line_fini(struct line *line);
/* Adds what was received.  Call line_next until it returns 0 before adding more: then at most line_max + len bytes are
 * held.  0, -ENOMEM; -EMSGSIZE when a line is too long already. */
int line_append(struct line *line, const void *bytes, size_t len);
/* 1: the next line, NUL-terminated in place of its newline, valid until the next line_append.  0: none is complete.
 * -EMSGSIZE: it is longer than line_max, complete or not; the stream cannot be used further. */
int line_next(struct line *line, char **ret_text, size_t *ret_len);
/* Has the beginning of a line arrived whose newline is still missing? */
bool line_is_partial(const struct line *line);

#endif
