/* response_choose.c - the form of an answer that the client likes best, by its header Accept.
 * Owns nothing; text/accept.c knows what clients say.  Called by response_redirect.c, and by lua/fsd/http/response.lua for res:format.
 * Must not know what is sent then. */
#include "worker/http/response/response_choose.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/http/exchange.h"
#include "worker/http/response/response.h"
#include "worker/http/text/accept.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/type_text.h"

enum { TYPES_MAX = 32 };

int response_choose(const struct exchange *exchange, const struct parameter_text *types,
                    size_t count)
{
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t header = view_header(&exchange->view, H2O_STRLIT("accept"), scratch);
    if (header.base == NULL) {
        return 0;
    }
    struct accept accept;
    accept_parse(&accept, ACCEPT_TYPE, header.base, header.len);
    return accept_choose(&accept, types, count);
}

/* What the name on the top means, without parameters. */
static struct parameter_text find_type(lua_State *L)
{
    size_t len;
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "res:format: a form's name must be a string");
    }
    const char *name = lua_tolstring(L, -1, &len);
    const char *known = header_text_find_type(name);
    const char *type = known != NULL ? known : name;
    len = type_text_essence_len(type, known != NULL ? strlen(known) : len);
    if (memchr(type, '/', len) == NULL || !header_text_is_value(type, len)) {
        luaL_error(L, "res:format: \"%s\" is neither a content type nor a name of one", name);
    }
    return (struct parameter_text){type, len};
}

int response_choose_type(lua_State *L)
{
    const struct exchange *exchange = response_check(L);
    struct parameter_text types[TYPES_MAX];
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = (size_t)lua_rawlen(L, 2);
    if (count > TYPES_MAX) {
        luaL_error(L, "res:format: more than %d forms", TYPES_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        types[i] = find_type(L); /* the list holds the name */
        lua_pop(L, 1);
    }
    int chosen = count > 0 ? response_choose(exchange, types, count) : -1;
    if (chosen < 0) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, chosen + 1);
    lua_pushlstring(L, types[chosen].bytes, types[chosen].len);
    return 2;
}
