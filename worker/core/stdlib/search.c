/* search.c - string.find, match and gmatch on our own matcher.
 * Owns nothing; gmatch's state is a userdata of its iterator.  Each call gets a budget of steps that grows with the subject:
 * far more than a pattern takes that looks at each place a few times, and little enough that one which tries all ways of
 * many ends within some milliseconds, by a PatternError.  Results and messages are Lua's.
 * Called by Lua; gsub.c pushes captures through it.  Must not know how a pattern is matched. */
#include "worker/core/stdlib/search.h"

#include <lauxlib.h>

#include "worker/core/error.h"
#include "worker/core/stdlib/match_find.h"

enum {
    STEPS_LEAST = 4000000, /* about 10 ms */
    STEPS_PER_BYTE = 16,
    PATTERN_SHOWN_MAX = 60, /* bytes of a pattern in a message */
};

/* What gmatch's iterator carries. */
enum { UPVALUE_SUBJECT = 1, UPVALUE_PATTERN, UPVALUE_STATE, UPVALUE_COUNT = UPVALUE_STATE };

struct gmatch {
    struct match match;
    const char *from; /* borrowed from the subject; NULL: nothing comes any more */
};

int64_t search_steps(size_t subject_len)
{
    return STEPS_LEAST + STEPS_PER_BYTE * (int64_t)subject_len;
}

struct match_text search_check_text(lua_State *L, int index)
{
    struct match_text text;
    text.bytes = luaL_checklstring(L, index, &text.len);
    return text;
}

static void raise_out_of_steps(lua_State *L, const struct match *match)
{
    size_t subject_len = (size_t)(match->subject_end - match->subject);
    size_t pattern_len = (size_t)(match->pattern_end - match->pattern);
    bool is_long = pattern_len > PATTERN_SHOWN_MAX;
    lua_pushlstring(L, match->pattern, is_long ? PATTERN_SHOWN_MAX : pattern_len);
    error_raise(L, "PatternError", "pattern.budget", 500,
                "pattern \"%s%s\" took more than %I steps on a subject of %I bytes",
                lua_tostring(L, -1), is_long ? "..." : "", (LUAI_UACINT)search_steps(subject_len),
                (LUAI_UACINT)subject_len);
}

void search_raise(lua_State *L, const struct match *match, enum match_result result)
{
    if (result == MATCH_OUT_OF_STEPS) {
        raise_out_of_steps(L, match);
    }
    char text[80];
    match_describe(match, text, sizeof(text));
    luaL_error(L, "%s", text);
    __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
}

void search_push_capture(lua_State *L, const struct match *match, int index)
{
    if (index >= match->capture_count) {
        if (index > 0) {
            luaL_error(L, "invalid capture index %%%d", index + 1);
        }
        lua_pushlstring(L, match->start, (size_t)(match->end - match->start));
        return;
    }
    const struct match_capture *capture = &match->captures[index];
    if (capture->len == MATCH_LEN_POSITION) {
        lua_pushinteger(L, capture->start - match->subject + 1);
        return;
    }
    if (capture->len == MATCH_LEN_OPEN) {
        luaL_error(L, "unfinished capture");
    }
    lua_pushlstring(L, capture->start, (size_t)capture->len);
}

int search_push_captures(lua_State *L, const struct match *match)
{
    int count = match->capture_count == 0 ? 1 : match->capture_count;
    luaL_checkstack(L, count, "too many captures");
    for (int i = 0; i < count; i++) {
        search_push_capture(L, match, i);
    }
    return count;
}

/* Where to begin, from 0, by the optional position at index, which counts from the end when it is negative. */
static size_t check_start(lua_State *L, int index, size_t len)
{
    lua_Integer position = luaL_optinteger(L, index, 1);
    if (position > 0) {
        return (size_t)position - 1;
    }
    if (position == 0 || position < -(lua_Integer)len) {
        return 0;
    }
    return len - (size_t)-position;
}

static int push_place(lua_State *L, struct match_text subject, const char *start, const char *end)
{
    lua_pushinteger(L, start - subject.bytes + 1);
    lua_pushinteger(L, end - subject.bytes);
    return 2;
}

static int find_plain(lua_State *L, struct match_text subject, size_t from, struct match_text text)
{
    const char *found = match_find_plain(subject, from, text);
    if (found == NULL) {
        luaL_pushfail(L);
        return 1;
    }
    return push_place(L, subject, found, found + text.len);
}

static int search(lua_State *L, bool wants_place)
{
    struct match_text subject = search_check_text(L, 1);
    struct match_text pattern = search_check_text(L, 2);
    size_t from = check_start(L, 3, subject.len);
    if (from > subject.len) {
        luaL_pushfail(L);
        return 1;
    }
    if (wants_place && (lua_toboolean(L, 4) || !match_is_special(pattern))) {
        return find_plain(L, subject, from, pattern);
    }
    struct match match;
    match_init(&match, subject, pattern, search_steps(subject.len));
    bool is_anchored = match_take_anchor(&match);
    enum match_result result = is_anchored ? match_here(&match, subject.bytes + from)
                                           : match_find(&match, subject.bytes + from);
    if (result == MATCH_NONE) {
        luaL_pushfail(L);
        return 1;
    }
    if (result != MATCH_FOUND) {
        search_raise(L, &match, result);
    }
    if (!wants_place) {
        return search_push_captures(L, &match);
    }
    (void)push_place(L, subject, match.start, match.end);
    return 2 + (match.capture_count > 0 ? search_push_captures(L, &match) : 0);
}

int search_find(lua_State *L)
{
    return search(L, true);
}

int search_match(lua_State *L)
{
    return search(L, false);
}

static int gmatch_next(lua_State *L)
{
    struct gmatch *state = lua_touserdata(L, lua_upvalueindex(UPVALUE_STATE));
    struct match *match = &state->match;
    if (state->from == NULL) {
        return 0;
    }
    match->steps = search_steps((size_t)(match->subject_end - match->subject));
    enum match_result result = match_find(match, state->from);
    if (result == MATCH_NONE) {
        state->from = NULL;
        return 0;
    }
    if (result != MATCH_FOUND) {
        search_raise(L, match, result);
    }
    state->from = match->end;
    match->last_end = match->end;
    return search_push_captures(L, match);
}

int search_gmatch(lua_State *L)
{
    struct match_text subject = search_check_text(L, 1);
    struct match_text pattern = search_check_text(L, 2);
    size_t from = check_start(L, 3, subject.len);
    lua_settop(L, 2);
    struct gmatch *state = lua_newuserdatauv(L, sizeof(*state), 0);
    match_init(&state->match, subject, pattern, 0);
    state->from = from > subject.len ? NULL : subject.bytes + from;
    lua_pushcclosure(L, gmatch_next, UPVALUE_COUNT);
    return 1;
}
