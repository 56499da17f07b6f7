/* routes.c - `fsd-worker --tool routes`: what an application answers, as a table.
 * Owns nothing that outlives the process.  The application is bundled and loaded as a worker loads it, so its top level runs; it is never
 * started, has no settings, and shared dictionaries in name only.  lua/fsd/http/listing.lua makes the text.
 * Run by `fsd routes`.  Must not know what a route is. */
#include "worker/tool/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/err.h"
#include "common/proto.h"
#include "worker/core/generation.h"
#include "worker/core/runtime.h"
#include "worker/tool/bundle.h"

static int fail(const char *why)
{
    (void)fprintf(stderr, "%s\n", why);
    return FSD_EXIT_LOAD;
}

/* The application is on the top. */
static int print_routes(lua_State *L, bool as_json)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "fsd.http.listing");
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        return fail(luaL_tolstring(L, -1, NULL));
    }
    lua_insert(L, -2);
    lua_pushboolean(L, as_json);
    if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
        return fail(luaL_tolstring(L, -1, NULL));
    }
    (void)fputs(lua_tostring(L, -1), stdout);
    return fflush(stdout) == 0 ? FSD_EXIT_OK : FSD_EXIT_INTERNAL;
}

int tool_routes(struct runtime *runtime, int argc, char **argv)
{
    bool as_json = argc > 1 && strcmp(argv[0], "--json") == 0;
    if (argc != (as_json ? 2 : 1)) {
        (void)fprintf(stderr, "usage: fsd-worker --tool routes [--json] FILE\n");
        return FSD_EXIT_USAGE;
    }
    int fd = memfd_create("fsd-routes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        (void)fprintf(stderr, "cannot make room for the bundle: %s\n", strerror(errno));
        return FSD_EXIT_INTERNAL;
    }
    int code = tool_bundle_write(argv[argc - 1], fd);
    struct fsd_err err;
    struct generation *generation = NULL;
    if (code != FSD_EXIT_OK) {
        return code;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        return FSD_EXIT_INTERNAL;
    }
    if (generation_load(runtime, fd, 1, &generation, &err) != 0) {
        return fail(err.text);
    }
    lua_rawgeti(runtime->L, LUA_REGISTRYINDEX, generation->app_ref);
    return print_routes(runtime->L, as_json);
}
