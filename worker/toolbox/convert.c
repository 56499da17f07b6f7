/* convert.c - strings that become other strings: base64, hexadecimal digits.
 * Owns the room for the result: a short one on the C stack, a long one in a userdata of Lua's, so that nothing is lost when an error is
 * raised or the task ends.  Takes a breath (core/stdlib/breath.h) after each piece of a long string.  Called by mod_base64.c, mod_hex.c.
 * Must not know what the characters mean. */
#include "worker/toolbox/convert.h"

#include <lauxlib.h>

#include "worker/core/collector.h"
#include "worker/core/room.h"
#include "worker/core/stdlib/breath.h"
#include "worker/core/stdlib/stdlib.h"

enum { SHORT_BYTES = 1024 };

/* Header of the userdata; the result stands behind it. */
struct job {
    struct convert convert;
    size_t owed_kb; /* to the collector */
    char out[];
};

static int push_result(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct job *job = lua_touserdata(L, 2);
    room_lend(L, 3);
    size_t owed_kb = job->owed_kb + collector_push_text(L, job->out, job->convert.len);
    return collector_settle(L, owed_kb, 1);
}

static int convert_on(lua_State *L, int status, lua_KContext context);

/* Index 1: the string; index 2: the job. */
static int go_on(lua_State *L)
{
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    struct job *job = lua_touserdata(L, 2);
    struct convert *convert = &job->convert;
    while (convert->done < len) {
        size_t left = len - convert->done;
        size_t part = left < convert->kind->piece_bytes ? left : convert->kind->piece_bytes;
        convert->kind->run(L, convert, text + convert->done, part, job->out);
        convert->done += part;
        breath_take(L, 0, convert_on);
    }
    if (convert->kind->end != NULL) {
        convert->kind->end(L, convert, job->out);
    }
    return room_prepare(L, convert->len, 0, push_result);
}

static int convert_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return go_on(L);
}

static int convert_short(lua_State *L, const struct convert *begin, const char *text, size_t len)
{
    struct convert convert = *begin;
    char out[SHORT_BYTES];
    convert.kind->run(L, &convert, text, len, out);
    if (convert.kind->end != NULL) {
        convert.done = len;
        convert.kind->end(L, &convert, out);
    }
    lua_pushlstring(L, out, convert.len);
    return 1;
}

int convert_string(lua_State *L, const struct convert *convert)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    size_t room = convert->kind->room(len);
    luaL_argcheck(L, room <= STDLIB_STRING_MAX, 1, "the result would be too long (64 MiB at most)");
    if (room <= SHORT_BYTES) {
        return convert_short(L, convert, text, len);
    }
    lua_settop(L, 1);
    int max_kb = (int)(room / 1024) + 64;
    int before_kb = collector_begin_credit(L, max_kb);
    struct job *job = lua_newuserdatauv(L, sizeof(*job) + room, 0);
    job->owed_kb = collector_end_credit(L, max_kb, before_kb);
    job->convert = *convert;
    return go_on(L);
}
