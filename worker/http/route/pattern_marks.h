#ifndef FSD_WORKER_HTTP_ROUTE_PATTERN_MARKS_H
#define FSD_WORKER_HTTP_ROUTE_PATTERN_MARKS_H

#include <stddef.h>

#include "worker/http/route/pattern.h"

/* Between pattern.c and pattern_marks.c only: the text of a pattern cut into marks. */

enum pattern_mark_kind {
    PATTERN_MARK_TEXT,
    PATTERN_MARK_PARAM,
    PATTERN_MARK_WILDCARD,
    PATTERN_MARK_OPEN,
    PATTERN_MARK_CLOSE,
    PATTERN_MARK_PART_END /* name is the part's number */
};

enum { PATTERN_NO_GROUP = PATTERN_TEXT_MAX + 1 };

struct pattern_mark {
    enum pattern_mark_kind kind;
    const char *text; /* unescaped literal bytes, borrowed from the pattern's block */
    size_t len;
    size_t name;
    size_t position;
    size_t group; /* open: the mark that closes it; while unclosed, the open mark around it */
};

struct pattern_marks {
    struct pattern *pattern;    /* borrowed; its text is read, its names are filled */
    size_t len;                 /* of pattern->text */
    size_t at;                  /* next byte of pattern->text */
    char *out;                  /* next free byte for unescaped text and names */
    struct pattern_mark *items; /* owned by pattern.c; room for len and the ends of all parts */
    size_t count;
    const size_t *part_ends; /* borrowed; of all parts but the last */
    size_t part;             /* which is being read */
    size_t open_group;       /* innermost unclosed open mark, or PATTERN_NO_GROUP */
    struct fsd_err *err;     /* borrowed */
};

/* Reads the whole text.  0, or -EINVAL with the sentence in marks->err. */
int pattern_marks_read(struct pattern_marks *marks);

#endif
