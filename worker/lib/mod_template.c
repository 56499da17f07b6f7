/* mod_template.c - fsd.template.core: the files of the code that runs.
 *   core.here() -> generation, require | nil     core.read(generation, name) -> string or nil     core.list(generation) -> names
 * Owns nothing.  Files come from the bundle of the generation that runs, never from the disk, so that a page and the code that
 * renders it are always of one version.
 * Called by lua/fsd/template.lua only.  Must not know how a template is written. */
#include "worker/lib/mod_template.h"

#include <lauxlib.h>

#include "worker/core/generation.h"
#include "worker/core/generations.h"

/* here() -> the generation whose code runs, which is a key for what is kept for it, and its require */
static int template_here(lua_State *L)
{
    generations_push_require_here(L);
    const struct generation *generation = generation_of_require(L, -1);
    if (generation == NULL) {
        return 0;
    }
    lua_pushvalue(L, -2);
    return 2;
}

static int template_read(lua_State *L)
{
    const struct generation *generation = generation_check(L, 1);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    const struct bundle_file *file = bundle_find(&generation->bundle, name, len);
    if (file == NULL) {
        return 0;
    }
    lua_pushlstring(L, file->source, file->source_len);
    return 1;
}

static int template_list(lua_State *L)
{
    const struct generation *generation = generation_check(L, 1);
    const struct bundle *bundle = &generation->bundle;
    lua_createtable(L, (int)bundle->file_count, 0);
    for (size_t i = 0; i < bundle->file_count; i++) {
        lua_pushlstring(L, bundle->files[i].name, bundle->files[i].name_len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"here", template_here},
    {"read", template_read},
    {"list", template_list},
    {NULL, NULL},
};

int luaopen_fsd_template_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
