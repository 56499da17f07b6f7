/* router_segment.c - segments that mix text and parameters: "/:file.:ext", "/a-:b".
 * Owns nothing.  A parameter is as short as the rest allows; each but the first may not contain
 * the text before it (so path-to-regexp 8: `a.tar.gz` is file "a.tar", ext "gz"; its releases up to
 * 8.4 differ where a separator repeats, `x---y` for `:a--:b`).  To find that
 * without backtracking, one pass from the right per literal marks the places from which the rest
 * of the segment fits, using the marks of the literal after it; then a walk from the left takes
 * the first marked place each time.  Every byte is compared with every literal at most twice.
 * router_tree.c calls it for each mixed segment that is a candidate.
 * Must not know the tree, nor what follows the segment. */
#include "worker/http/route/router_segment.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "worker/http/route/router_chain.h"
#include "worker/http/route/router_text.h"

enum { ROW_WORDS = ROUTER_PATH_MAX / 64, ROWS_MAX = PATTERN_NAMES_MAX - 1 };

/* What the passes of one match share. */
struct fitting {
    const struct router_segment *segment;
    const char *text;
    size_t len;
    size_t start; /* of the first parameter */
    size_t end;   /* of the last one */
    uint64_t rows[ROWS_MAX]
                 [ROW_WORDS]; /* bit p of row i - 1: literal i at p and all after it fit */
};

bool router_segment_equal(const struct router_segment *a, const struct router_segment *b)
{
    if (a->param_count != b->param_count || a->fold != b->fold) {
        return false;
    }
    for (size_t i = 0; i <= a->param_count; i++) {
        if (a->lens[i] != b->lens[i] || memcmp(a->literals[i], b->literals[i], a->lens[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool occurs(const struct fitting *fitting, size_t literal, size_t at)
{
    const struct router_segment *segment = fitting->segment;
    size_t len = segment->lens[literal];
    return at + len <= fitting->len &&
           router_text_equal(segment->literals[literal], fitting->text + at, len, segment->fold);
}

static bool is_marked(const uint64_t *row, size_t at)
{
    return (row[at / 64] >> (at % 64) & 1) != 0;
}

/* Marks in row `literal` where this literal can stand: its parameter must not be empty, must end
 * where the next literal fits (or at the end), and must not contain the literal again. */
static bool mark_fits(struct fitting *fitting, size_t literal)
{
    const struct router_segment *segment = fitting->segment;
    bool is_last = literal + 1 == segment->param_count;
    uint64_t *row = fitting->rows[literal - 1];
    const uint64_t *next_row = is_last ? NULL : fitting->rows[literal];
    size_t literal_len = segment->lens[literal];
    size_t param_end = is_last ? fitting->end : SIZE_MAX; /* nearest one behind `after` */
    size_t repeated = SIZE_MAX - 1;                       /* nearest repetition from `after` on */
    bool any = false;
    memset(row, 0, (fitting->len / 64 + 1) * sizeof(row[0]));
    for (size_t after = fitting->end; after-- > fitting->start + 1 + literal_len;) {
        size_t at = after - literal_len;
        if (occurs(fitting, literal, after)) {
            repeated = after;
        }
        if (!is_last && is_marked(next_row, after + 1)) {
            param_end = after + 1;
        }
        if (param_end <= repeated && occurs(fitting, literal, at)) {
            row[at / 64] |= (uint64_t)1 << (at % 64);
            any = true;
        }
    }
    return any;
}

static size_t first_marked(const uint64_t *row, size_t at)
{
    while (!is_marked(row, at)) {
        at++;
    }
    return at;
}

static void take_captures(const struct fitting *fitting, struct router_capture *captures)
{
    const struct router_segment *segment = fitting->segment;
    size_t start = fitting->start;
    for (size_t i = 0; i < segment->param_count; i++) {
        size_t end = i + 1 == segment->param_count ? fitting->end
                                                   : first_marked(fitting->rows[i], start + 1);
        captures[i] =
            (struct router_capture){.start = (uint32_t)start, .len = (uint32_t)(end - start)};
        start = end + segment->lens[i + 1];
    }
}

bool router_segment_match(const struct router_segment *segment, const char *text, size_t len,
                          struct router_capture *ret_captures)
{
    size_t last = segment->param_count;
    size_t start = segment->lens[0];
    assert(len < ROUTER_PATH_MAX);
    if (len < start + segment->lens[last] + 1) {
        return false;
    }
    struct fitting fitting; /* 15 KiB; only the rows in use are cleared */
    fitting.segment = segment;
    fitting.text = text;
    fitting.len = len;
    fitting.start = start;
    fitting.end = len - segment->lens[last];
    if (!occurs(&fitting, 0, 0) || !occurs(&fitting, last, fitting.end)) {
        return false;
    }
    for (size_t literal = last - 1; literal > 0; literal--) {
        if (!mark_fits(&fitting, literal)) {
            return false;
        }
    }
    take_captures(&fitting, ret_captures);
    return true;
}
