/* trust.c - which proxies an application believes, read from its settings.
 * Owns nothing.  Called by settings.c when trust_proxy is set, so that a wrong address is told with its line.  Must not know headers. */
#include "worker/http/trust.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static int read_table(lua_State *L, int index, struct address_trust *ret_trust, struct fsd_err *err)
{
    struct address_trust trust = {.kind = ADDRESS_TRUST_NONE};
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= count; i++) {
        size_t len = 0;
        int type = lua_rawgeti(L, index, i);
        const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
        int rc = text != NULL ? address_trust_add(&trust, text, len, err)
                              : fsd_err_set(err, EINVAL, "an address must be a string");
        lua_pop(L, 1);
        if (rc != 0) {
            return rc;
        }
    }
    *ret_trust = trust;
    return 0;
}

static int read_hops(lua_State *L, int index, struct address_trust *ret_trust, struct fsd_err *err)
{
    lua_Integer hops = lua_isinteger(L, index) ? lua_tointeger(L, index) : -1;
    if (hops < 0 || hops > INT_MAX) {
        return fsd_err_set(err, EINVAL, "a number of hops is a whole number, 0 or more");
    }
    *ret_trust = (struct address_trust){.kind = hops > 0 ? ADDRESS_TRUST_HOPS : ADDRESS_TRUST_NONE,
                                        .hops = (unsigned)hops};
    return 0;
}

int trust_read(lua_State *L, int index, struct address_trust *ret_trust, struct fsd_err *err)
{
    size_t len;
    const char *text;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        *ret_trust = (struct address_trust){.kind = lua_toboolean(L, index) ? ADDRESS_TRUST_ALL
                                                                            : ADDRESS_TRUST_NONE};
        return 0;
    case LUA_TNUMBER:
        return read_hops(L, index, ret_trust, err);
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        return address_trust_parse(text, len, ret_trust, err);
    case LUA_TTABLE:
        return read_table(L, index, ret_trust, err);
    case LUA_TFUNCTION:
        *ret_trust = (struct address_trust){.kind = ADDRESS_TRUST_FUNCTION};
        return 0;
    default:
        return fsd_err_set(err, EINVAL, "it has another type");
    }
}
