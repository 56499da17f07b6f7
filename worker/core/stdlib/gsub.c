/* gsub.c - string.gsub on our own matcher; what it calls may yield.
 * Owns the state of a call and the text that grows.  Both are on the C stack when nothing but C runs until the end, and in
 * userdata on Lua's stack otherwise: then the coroutine can be put aside in a replacement function, in an __index, and in
 * the breaths that a long subject takes.  The places on the stack are those of enum place.
 * Called by Lua.  Must not know how a pattern is matched. */
#include "worker/core/stdlib/gsub.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/stdlib/breath.h"
#include "worker/core/stdlib/match_find.h"
#include "worker/core/stdlib/search.h"
#include "worker/core/stdlib/stdlib.h"

enum {
    LOCAL_ROOM = 1024, /* for the text on the C stack */
    STATE_ROOM = 128,  /* for the text in the state: it fits one of the allocator's small sizes */
    SHORT_MAX = 16 * 1024,           /* subjects that take no breath */
    STEPS_BETWEEN_BREATHS = 1 << 18, /* well below a millisecond */
    STEPS_PER_MATCH = 32,            /* what a replacement counts beside them */
};

/* Where things stand on Lua's stack. */
enum place { PLACE_SUBJECT = 1, PLACE_PATTERN, PLACE_REPLACEMENT, PLACE_TEXT, PLACE_STATE };

struct gsub {
    struct match match;
    const char *from; /* borrowed from the subject: the rest that was not copied yet */
    lua_Integer count;
    lua_Integer limit;
    int64_t breath_steps; /* at so many steps left the next breath is due */
    int kind;             /* the type of the replacement */
    bool is_anchored;
    bool is_changed;
    bool is_calling;  /* a replacement is being asked for */
    bool can_yield;   /* the state is not on the C stack */
    bool has_escapes; /* a replacement string is not as it stands */
    char *text;       /* borrowed: on the C stack, in the state or at PLACE_TEXT */
    size_t text_len;
    size_t text_room;
};

struct gsub_state {
    struct gsub gsub; /* first: the userdata is one of these */
    char room[STATE_ROOM];
};

static void grow_text(lua_State *L, struct gsub *gsub, size_t len)
{
    if (len > STDLIB_STRING_MAX - gsub->text_len) {
        luaL_error(L, "resulting string too large (gsub makes at most %d MiB)",
                   STDLIB_STRING_MAX / 1024 / 1024);
    }
    size_t room = 2 * gsub->text_room;
    if (room < gsub->text_len + len) {
        room = gsub->text_len + len;
    }
    if (room > STDLIB_STRING_MAX) {
        room = STDLIB_STRING_MAX;
    }
    char *text = lua_newuserdatauv(L, room, 0);
    memcpy(text, gsub->text, gsub->text_len);
    lua_replace(L, PLACE_TEXT);
    gsub->text = text;
    gsub->text_room = room;
}

static inline void add_text(lua_State *L, struct gsub *gsub, const char *bytes, size_t len)
{
    if (len > gsub->text_room - gsub->text_len) {
        grow_text(L, gsub, len);
    }
    memcpy(gsub->text + gsub->text_len, bytes, len);
    gsub->text_len += len;
}

static void add_capture(lua_State *L, struct gsub *gsub, int index)
{
    const struct match *match = &gsub->match;
    if (index < match->capture_count && match->captures[index].len >= 0) {
        add_text(L, gsub, match->captures[index].start, (size_t)match->captures[index].len);
        return;
    }
    search_push_capture(L, match, index); /* a position, the whole match, or it raises */
    size_t len;
    const char *bytes = lua_tolstring(L, -1, &len);
    add_text(L, gsub, bytes, len);
    lua_pop(L, 1);
}

static void add_escape(lua_State *L, struct gsub *gsub, char letter)
{
    const struct match *match = &gsub->match;
    if (letter == '%') {
        add_text(L, gsub, "%", 1);
    } else if (letter == '0') {
        add_text(L, gsub, match->start, (size_t)(match->end - match->start));
    } else if (letter >= '1' && letter <= '9') {
        add_capture(L, gsub, letter - '1');
    } else {
        luaL_error(L, "invalid use of '%c' in replacement string", '%');
    }
}

static void add_replacement_string(lua_State *L, struct gsub *gsub)
{
    size_t len;
    const char *bytes = lua_tolstring(L, PLACE_REPLACEMENT, &len);
    const char *end = bytes + len;
    const char *escape;
    gsub->is_changed = true;
    while (gsub->has_escapes && (escape = memchr(bytes, '%', (size_t)(end - bytes))) != NULL) {
        add_text(L, gsub, bytes, (size_t)(escape - bytes));
        add_escape(L, gsub, escape[1]); /* at the end stands the 0 of every string of Lua's */
        bytes = escape + 2;
    }
    add_text(L, gsub, bytes, (size_t)(end - bytes));
}

/* Takes what a function or a table gave from the top of the stack. */
static void take_replacement(lua_State *L, struct gsub *gsub)
{
    const struct match *match = &gsub->match;
    gsub->is_calling = false;
    if (!lua_toboolean(L, -1)) {
        add_text(L, gsub, match->start, (size_t)(match->end - match->start));
    } else if (lua_isstring(L, -1)) {
        size_t len;
        const char *bytes = lua_tolstring(L, -1, &len);
        add_text(L, gsub, bytes, len);
        gsub->is_changed = true;
    } else {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
    lua_pop(L, 1);
}

static int go_on(lua_State *L, int status, lua_KContext context);

static void call(lua_State *L, struct gsub *gsub, int argument_count)
{
    gsub->is_calling = true;
    lua_callk(L, argument_count, 1, 0, go_on);
}

/* Pushes table[capture].  An __index that is a function is called by us, so that it may yield. */
static void look_up(lua_State *L, struct gsub *gsub)
{
    search_push_capture(L, &gsub->match, 0);
    if (!gsub->can_yield) { /* the table has no metatable */
        lua_rawget(L, PLACE_REPLACEMENT);
        return;
    }
    lua_pushvalue(L, -1);
    if (lua_rawget(L, PLACE_REPLACEMENT) != LUA_TNIL) {
        lua_replace(L, -2);
        return;
    }
    lua_pop(L, 1);
    if (luaL_getmetafield(L, PLACE_REPLACEMENT, "__index") != LUA_TFUNCTION) {
        lua_settop(L, PLACE_STATE + 1);
        lua_gettable(L, PLACE_REPLACEMENT);
        return;
    }
    lua_insert(L, -2);
    lua_pushvalue(L, PLACE_REPLACEMENT);
    lua_insert(L, -2);
    call(L, gsub, 2);
}

static void add_replacement(lua_State *L, struct gsub *gsub)
{
    if (gsub->kind == LUA_TFUNCTION) {
        lua_pushvalue(L, PLACE_REPLACEMENT);
        call(L, gsub, search_push_captures(L, &gsub->match));
        take_replacement(L, gsub);
    } else if (gsub->kind == LUA_TTABLE) {
        look_up(L, gsub);
        take_replacement(L, gsub);
    } else {
        add_replacement_string(L, gsub);
    }
}

static int finish(lua_State *L, struct gsub *gsub)
{
    if (!gsub->is_changed) {
        lua_pushvalue(L, PLACE_SUBJECT);
    } else {
        add_text(L, gsub, gsub->from, (size_t)(gsub->match.subject_end - gsub->from));
        lua_pushlstring(L, gsub->text, gsub->text_len);
    }
    lua_pushinteger(L, gsub->count);
    return 2;
}

static int run(lua_State *L, struct gsub *gsub)
{
    struct match *match = &gsub->match;
    while (gsub->count < gsub->limit && !(gsub->is_anchored && gsub->count > 0)) {
        enum match_result result =
            gsub->is_anchored ? match_here(match, gsub->from) : match_find(match, gsub->from);
        if (result == MATCH_NONE) {
            break;
        }
        if (result != MATCH_FOUND) {
            search_raise(L, match, result);
        }
        gsub->count++;
        add_text(L, gsub, gsub->from, (size_t)(match->start - gsub->from));
        gsub->from = match->end;
        match->last_end = match->end;
        add_replacement(L, gsub);
        gsub->breath_steps += STEPS_PER_MATCH;
        if (gsub->can_yield && match->steps < gsub->breath_steps) {
            gsub->breath_steps = match->steps - STEPS_BETWEEN_BREATHS;
            breath_take(L, 0, go_on);
        }
    }
    return finish(L, gsub);
}

static int go_on(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* always LUA_YIELD */
    (void)context;
    struct gsub *gsub = lua_touserdata(L, PLACE_STATE);
    if (gsub->is_calling) {
        take_replacement(L, gsub);
    }
    return run(L, gsub);
}

/* Fills all but where the text stands. */
static void init(lua_State *L, struct gsub *gsub, struct match_text subject, lua_Integer limit)
{
    struct match_text pattern = search_check_text(L, PLACE_PATTERN);
    size_t len = 0;
    match_init(&gsub->match, subject, pattern, search_steps(subject.len));
    gsub->from = subject.bytes;
    gsub->count = 0;
    gsub->limit = limit;
    gsub->breath_steps = gsub->match.steps - STEPS_BETWEEN_BREATHS;
    gsub->kind = lua_type(L, PLACE_REPLACEMENT);
    gsub->is_anchored = match_take_anchor(&gsub->match);
    gsub->is_changed = false;
    gsub->is_calling = false;
    gsub->text_len = 0;
    if (gsub->kind == LUA_TNUMBER || gsub->kind == LUA_TSTRING) {
        const char *bytes = lua_tolstring(L, PLACE_REPLACEMENT, &len);
        gsub->has_escapes = memchr(bytes, '%', len) != NULL;
    }
}

/* Whether the call may be put aside before it has ended. */
static bool can_yield(lua_State *L, size_t subject_len)
{
    int kind = lua_type(L, PLACE_REPLACEMENT);
    if (kind == LUA_TTABLE && lua_getmetatable(L, PLACE_REPLACEMENT)) {
        lua_pop(L, 1);
        return true;
    }
    return kind == LUA_TFUNCTION || subject_len > SHORT_MAX;
}

static int run_local(lua_State *L, struct match_text subject, lua_Integer limit)
{
    struct gsub gsub;
    char room[LOCAL_ROOM];
    init(L, &gsub, subject, limit);
    gsub.can_yield = false;
    gsub.text = room;
    gsub.text_room = sizeof(room);
    return run(L, &gsub);
}

int gsub_call(lua_State *L)
{
    struct match_text subject = search_check_text(L, PLACE_SUBJECT);
    (void)search_check_text(L, PLACE_PATTERN);
    int kind = lua_type(L, PLACE_REPLACEMENT);
    lua_Integer limit = luaL_optinteger(L, 4, (lua_Integer)subject.len + 1);
    luaL_argexpected(L,
                     kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION ||
                         kind == LUA_TTABLE,
                     PLACE_REPLACEMENT, "string/function/table");
    lua_settop(L, PLACE_REPLACEMENT);
    lua_pushnil(L); /* PLACE_TEXT */
    if (!can_yield(L, subject.len)) {
        return run_local(L, subject, limit);
    }
    struct gsub_state *state = lua_newuserdatauv(L, sizeof(*state), 0);
    init(L, &state->gsub, subject, limit);
    state->gsub.can_yield = true;
    state->gsub.text = state->room;
    state->gsub.text_room = sizeof(state->room);
    return run(L, &state->gsub);
}
