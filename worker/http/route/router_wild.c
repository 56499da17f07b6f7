/* router_wild.c - paths with something behind a wildcard, or text before it in its segment: "files-*path/end".
 * Owns nothing; what is made at registration lies in the router's arena.  Says what the regular expressions of path-to-regexp 8 say:
 * each capture takes as much as lets the rest fit, and some may not hold the text that parts them from another one.  To find that
 * without backtracking, one pass from the right per capture marks where it can end such that all behind it fits; then a walk
 * from the left takes the last marked place each time.  As in Express, what a router is mounted at is matched by itself and stays
 * so, whatever follows.
 * router_tree.c makes, router_walk.c matches one after the other.  Must not know the tree, nor methods. */
#include "worker/http/route/router_wild.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "worker/http/route/router.h"
#include "worker/http/route/router_arena.h"
#include "worker/http/route/router_text.h"
#include "worker/http/route/router_tree.h"

enum { ROW_WORDS = ROUTER_PATH_MAX / 64 };

struct text {
    const char *bytes; /* borrowed from the arena; lower-case when its part folds */
    size_t len;
};

/* What a capture may be instead, when nothing else fits. */
enum instead { INSTEAD_NOTHING, INSTEAD_SEGMENT, INSTEAD_BARRIER };

struct wild_capture {
    struct text behind;  /* the text up to the next capture, or to the part's end */
    struct text barrier; /* it does not go over the beginning of this; empty: none */
    enum instead instead;
    bool is_wildcard;
    bool is_segment; /* nor over a slash */
    uint8_t name;
};

struct wild_part {
    struct text ahead;             /* of the first capture, or all there is */
    struct wild_capture *captures; /* NULL: none */
    size_t count;
    bool fold; /* ASCII letters of both cases are equal */
};

struct router_wild {
    const struct router_entry *entry; /* borrowed */
    size_t slashes;                   /* that may be left at the end of a route's path */
    size_t capture_count;
    struct wild_capture captures[PATTERN_NAMES_MAX];
    struct wild_part parts[PATTERN_PARTS_MAX];
};

/* What the passes of one part share. */
struct fitting {
    const struct router_wild *wild;
    const struct wild_part *part;
    const char *path;
    size_t len;
    size_t start; /* of the part */
    uint64_t
        starts[ROW_WORDS]; /* bit p: the capture done last can start at p and all after it fit */
    uint64_t ends[PATTERN_NAMES_MAX][ROW_WORDS]; /* the same for where capture i can end */
};

static struct text keep_text(struct router_arena *arena, const char *bytes, size_t len, bool fold)
{
    char *kept = router_arena_take(arena, len + 1);
    memcpy(kept, bytes, len);
    if (fold) {
        router_text_fold(kept, len);
    }
    return (struct text){kept, len};
}

static bool has_slash(struct text text)
{
    return text.len > 0 && memchr(text.bytes, '/', text.len) != NULL;
}

/* Cuts a literal where parts end. */
static size_t add_literal(struct router_wild *wild, struct router_arena *arena,
                          const struct pattern_path *path, size_t part, struct text literal)
{
    size_t last = wild->entry->pattern.part_count - 1;
    size_t at = (size_t)(literal.bytes - pattern_path_bytes(path));
    while (literal.len > 0) {
        while (part < last && at >= path->part_bytes[part]) {
            part++;
        }
        size_t left = part < last ? path->part_bytes[part] - at : literal.len;
        size_t len = left < literal.len ? left : literal.len;
        struct wild_part *own = &wild->parts[part];
        struct text *place = own->count == 0 ? &own->ahead : &own->captures[own->count - 1].behind;
        *place = keep_text(arena, literal.bytes, len, own->fold);
        at += len;
        literal = (struct text){literal.bytes + len, literal.len - len};
    }
    return part;
}

static size_t add_capture(struct router_wild *wild, size_t part, const struct pattern_token *token)
{
    while (token->name >= wild->entry->pattern.part_names[part]) {
        part++;
    }
    struct wild_part *own = &wild->parts[part];
    struct wild_capture *capture = &wild->captures[wild->capture_count++];
    capture->name = (uint8_t)token->name;
    capture->is_wildcard = token->kind == PATTERN_WILDCARD;
    own->captures = own->count == 0 ? capture : own->captures;
    own->count++;
    return part;
}

static bool is_wildcard_in_rest_of_segment(const struct wild_part *part, size_t index)
{
    for (; index + 1 < part->count && !has_slash(part->captures[index].behind); index++) {
        if (part->captures[index + 1].is_wildcard) {
            return true;
        }
    }
    return false;
}

/* What each capture may not hold; the cases are those of path-to-regexp. */
static void set_barriers(struct wild_part *part)
{
    bool has_param = false; /* before it in the segment */
    bool has_wildcard = false;
    struct text after_wildcard = {"", 0};
    for (size_t i = 0; i < part->count; i++) {
        struct wild_capture *capture = &part->captures[i];
        struct text before = i == 0 ? part->ahead : part->captures[i - 1].behind;
        if (has_slash(before)) {
            has_param = has_wildcard = false;
        }
        capture->is_segment = !capture->is_wildcard;
        if (has_wildcard) {
            capture->barrier = before;
        } else if (capture->is_wildcard) {
            capture->barrier = after_wildcard;
            capture->instead = after_wildcard.len > 0 ? INSTEAD_SEGMENT : INSTEAD_NOTHING;
        } else if (is_wildcard_in_rest_of_segment(part, i)) {
            capture->barrier = capture->behind;
        } else if (has_param) {
            capture->barrier = before;
            capture->instead = INSTEAD_BARRIER;
        }
        after_wildcard = capture->is_wildcard ? capture->behind : after_wildcard;
        has_wildcard = has_wildcard || capture->is_wildcard;
        has_param = has_param || !capture->is_wildcard;
    }
}

const struct router_wild *router_wild_new(struct router_arena *arena,
                                          const struct router_entry *entry,
                                          const struct pattern_path *path)
{
    struct router_wild *wild = router_arena_take(arena, sizeof(*wild));
    wild->entry = entry;
    wild->slashes = (router_tree_is_mount(entry, path) ? 1U : 0U) + (entry->is_strict ? 0U : 1U);
    for (size_t i = 0; i < entry->pattern.part_count; i++) {
        wild->parts[i].fold = (entry->sensitive_parts >> i & 1) == 0;
    }
    size_t part = 0;
    for (size_t i = 0; i < path->count; i++) {
        const struct pattern_token *token = &path->tokens[i];
        if (token->kind != PATTERN_LITERAL) {
            part = add_capture(wild, part, token);
            continue;
        }
        size_t len = token->len;
        if (i + 1 == path->count) {
            len = router_tree_significant_len(entry, path, token->text, len);
        }
        part = add_literal(wild, arena, path, part, (struct text){token->text, len});
    }
    for (size_t i = 0; i < entry->pattern.part_count; i++) {
        set_barriers(&wild->parts[i]);
    }
    return wild;
}

static bool occurs(const struct fitting *fitting, struct text text, size_t at)
{
    return text.len <= fitting->len - at &&
           router_text_equal(text.bytes, fitting->path + at, text.len, fitting->part->fold);
}

static bool is_marked(const uint64_t *row, size_t at)
{
    return (row[at / 64] >> (at % 64) & 1) != 0;
}

static void mark(uint64_t *row, size_t at)
{
    row[at / 64] |= (uint64_t)1 << (at % 64);
}

/* Whether the part may end there: at a slash or the end, but the path of a route only at the end. */
static bool can_end(const struct fitting *fitting, size_t at)
{
    const struct router_entry *entry = fitting->wild->entry;
    size_t left = fitting->len - at;
    if (left > 0 && fitting->path[at] != '/') {
        return false;
    }
    if (fitting->part + 1 < fitting->wild->parts + entry->pattern.part_count ||
        entry->kind == ROUTER_PREFIX) {
        return true;
    }
    return left <= fitting->wild->slashes && (left < 2 || fitting->path[at + 1] == '/');
}

/* Whether the capture may go over the byte there. */
static bool can_pass(const struct fitting *fitting, const struct wild_capture *capture, size_t at)
{
    return !(capture->is_segment && fitting->path[at] == '/') &&
           (capture->barrier.len == 0 || !occurs(fitting, capture->barrier, at));
}

static bool mark_ends(struct fitting *fitting, size_t index)
{
    const struct wild_part *part = fitting->part;
    struct text behind = part->captures[index].behind;
    uint64_t *row = fitting->ends[index];
    bool is_last = index + 1 == part->count;
    bool any = false;
    memset(row, 0, (fitting->len / 64 + 1) * sizeof(row[0]));
    for (size_t at = fitting->start + part->ahead.len + 1; at <= fitting->len; at++) {
        if (occurs(fitting, behind, at) &&
            (is_last ? can_end(fitting, at + behind.len)
                     : is_marked(fitting->starts, at + behind.len))) {
            mark(row, at);
            any = true;
        }
    }
    return any;
}

static void mark_starts(struct fitting *fitting, size_t index)
{
    const struct wild_capture *capture = &fitting->part->captures[index];
    const uint64_t *ends = fitting->ends[index];
    bool fits = false;    /* from the byte behind, by what the capture may pass */
    bool instead = false; /* the same without slashes */
    memset(fitting->starts, 0, (fitting->len / 64 + 1) * sizeof(fitting->starts[0]));
    for (size_t at = fitting->len; at-- > fitting->start;) {
        bool is_end = is_marked(ends, at + 1);
        fits = (fits || is_end) && can_pass(fitting, capture, at);
        instead =
            (instead || is_end) && capture->instead == INSTEAD_SEGMENT && fitting->path[at] != '/';
        if (fits || instead ||
            (capture->instead == INSTEAD_BARRIER && occurs(fitting, capture->barrier, at) &&
             is_marked(ends, at + capture->barrier.len))) {
            mark(fitting->starts, at);
        }
    }
}

/* The last place where the capture that starts there can end; the marks say that there is one. */
static size_t find_end(const struct fitting *fitting, size_t index, size_t start)
{
    const struct wild_capture *capture = &fitting->part->captures[index];
    const uint64_t *ends = fitting->ends[index];
    size_t end = 0;
    for (size_t at = start; at < fitting->len && can_pass(fitting, capture, at); at++) {
        end = is_marked(ends, at + 1) ? at + 1 : end;
    }
    if (end == 0 && capture->instead == INSTEAD_BARRIER) {
        return start + capture->barrier.len;
    }
    bool is_found = end != 0;
    for (size_t at = start; !is_found && at < fitting->len && fitting->path[at] != '/'; at++) {
        end = is_marked(ends, at + 1) ? at + 1 : end;
    }
    return end;
}

/* Matches one part; where it ends, or SIZE_MAX. */
static size_t match_part(struct fitting *fitting, struct router_capture *captures)
{
    const struct wild_part *part = fitting->part;
    if (!occurs(fitting, part->ahead, fitting->start)) {
        return SIZE_MAX;
    }
    size_t at = fitting->start + part->ahead.len;
    if (part->count == 0) {
        return can_end(fitting, at) ? at : SIZE_MAX;
    }
    for (size_t i = part->count; i-- > 0;) { /* most paths end here, at the last text */
        if (!mark_ends(fitting, i)) {
            return SIZE_MAX;
        }
        mark_starts(fitting, i);
    }
    if (at >= fitting->len || !is_marked(fitting->starts, at)) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < part->count; i++) {
        size_t end = find_end(fitting, i, at);
        captures[part->captures[i].name] =
            (struct router_capture){.start = (uint32_t)at, .len = (uint32_t)(end - at)};
        at = end + part->captures[i].behind.len;
    }
    return at;
}

bool router_wild_match(const struct router_wild *wild, const char *path, size_t len,
                       struct router_capture *ret_captures)
{
    const struct pattern *pattern = &wild->entry->pattern;
    struct fitting fitting; /* 17 KiB; only the rows in use are cleared */
    size_t at = 0;
    assert(len < ROUTER_PATH_MAX);
    memset(ret_captures, 0, (pattern->name_count + pattern->part_count) * sizeof(ret_captures[0]));
    fitting.wild = wild;
    fitting.path = path;
    fitting.len = len;
    for (size_t i = 0; i < pattern->part_count; i++) {
        fitting.part = &wild->parts[i];
        fitting.start = at;
        at = match_part(&fitting, ret_captures);
        if (at == SIZE_MAX) {
            return false;
        }
        size_t own = at > 0 && path[at - 1] == '/' ? at - 1 : at; /* what req.base_url holds */
        ret_captures[pattern->name_count + i].len = (uint32_t)own;
    }
    return true;
}
