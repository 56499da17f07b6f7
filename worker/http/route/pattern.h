#ifndef FSD_WORKER_HTTP_ROUTE_PATTERN_H
#define FSD_WORKER_HTTP_ROUTE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsd_err;

enum {
    PATTERN_TEXT_MAX = 1024, /* bytes of one pattern */
    PATTERN_NAMES_MAX = 16,  /* parameters of one pattern, wildcards among them */
    PATTERN_PATHS_MAX = 64,  /* alternatives that the groups of one pattern expand to */
    PATTERN_PARTS_MAX = 8,   /* what it is mounted at, and itself */
    PATTERN_WHOLE = 65535,   /* pattern_path.part_segments: all of the path, by a wildcard */
};

enum pattern_token_kind { PATTERN_LITERAL, PATTERN_PARAM, PATTERN_WILDCARD };

struct pattern_token {
    enum pattern_token_kind kind;
    const char *text; /* literal: unescaped bytes, not terminated; borrowed from the path's block */
    size_t len;       /* literal only */
    size_t name;      /* param and wildcard: index into pattern.names */
    size_t position;  /* in the pattern's text, from 1, for messages */
};

/* One alternative: what is left when each group was either taken or left out.  Two literals never
 * follow each other, nor do two params or wildcards of one part. */
struct pattern_path {
    /* owned, one block with the literal bytes; NULL when count is 0 */
    struct pattern_token *tokens;
    size_t count; /* 0: the empty path */
    bool is_wild; /* has a wildcard that is not last, or not a whole segment (or all) */
    /* For each part: how many literal bytes, and how many segments, there are up to its end. */
    uint16_t part_bytes[PATTERN_PARTS_MAX];
    uint16_t part_segments[PATTERN_PARTS_MAX];
};

struct pattern {
    char *text;                           /* owned; the pattern as it was written */
    const char *names[PATTERN_NAMES_MAX]; /* borrowed from text's block; in order of appearance */
    size_t name_count;
    uint32_t wildcards;         /* bit i: name i is that of a wildcard */
    struct pattern_path *paths; /* owned; groups taken first, so the longest comes first */
    size_t path_count;
    size_t part_count;                    /* at least 1 */
    size_t part_names[PATTERN_PARTS_MAX]; /* names of all parts up to and including this one */
};

/* Parses the path pattern of a route, such as "/users{/:id}".  0, or -EINVAL with a sentence
 * that names the position and what to write instead; *ret_pattern is the caller's to end with
 * pattern_fini and untouched on failure.  Aborts when memory is out. */
int pattern_parse(struct pattern *ret_pattern, const char *text, size_t len, struct fsd_err *err);
/* The same for a path that is put together: count of its parts end at ends[0], ends[1] ..., the last one with the text.  Names are
 * distinct within each part, which must be a pattern by itself. */
int pattern_parse_parts(struct pattern *ret_pattern, const char *text, size_t len,
                        const size_t *ends, size_t count, struct fsd_err *err);
/* Where a part begins and ends among the names. */
size_t pattern_first_name(const struct pattern *pattern, size_t part);
/* The literal bytes of a path, of which token.text are pieces; NULL when it has no tokens. */
const char *pattern_path_bytes(const struct pattern_path *path);
/* Frees what the pattern owns; accepts a zeroed one. */
void pattern_fini(struct pattern *pattern);

#endif
