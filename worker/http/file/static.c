/* static.c - fsd.static: a folder as a handler.
 *   fsd.static(root [, options]) -> handler
 * Owns the class "fsd.Static": a userdata with the folder.  Where it stands in an application it is asked without entering Lua (native.c);
 * only one whose option headers is a function, and one that a handler calls by itself - files(req, res, next) - go through Lua.
 * A root that is not absolute is looked up in the application's own folder.  One that has the application's code in it is refused: anybody
 * could read that.
 * Called while an application loads.  Must not know how a file is found (folder.c). */
#include "worker/http/file/static.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "worker/core/bundle.h"
#include "worker/core/error.h"
#include "worker/core/generations.h"
#include "worker/core/runtime.h"
#include "worker/http/exchange.h"
#include "worker/http/file/folder.h"
#include "worker/http/file/folder_options.h"
#include "worker/http/head.h"
#include "worker/http/native.h"

#define STATIC_METATABLE "fsd.Static"

struct static_folder {
    struct native native;
    struct folder folder;
    bool has_function; /* user value 1 is the option headers, a function */
};

enum { AT_FOLDER = 1, AT_REQUEST, AT_RESPONSE, AT_NEXT };

const struct native *static_test(lua_State *L, int index)
{
    const struct static_folder *folder = luaL_testudata(L, index, STATIC_METATABLE);
    return folder == NULL || folder->has_function ? NULL : &folder->native;
}

/* It is userdata, which others hold as const: a look-up may open the root anew. */
static struct folder *folder_of(const struct native *native)
{
    return &((struct static_folder *)(uintptr_t)native)->folder; /* NOLINT */
}

enum file_verdict static_ask(const struct native *native, const struct file_request *request,
                             struct file_given *ret_given, struct file_failure *ret_failure)
{
    struct folder_search search;
    enum file_verdict verdict = folder_find(folder_of(native), request, &search, ret_failure);
    return verdict == FILE_GIVES ? folder_give(&search, ret_given, ret_failure) : verdict;
}

/* Refuses a root that has the application itself in it. */
static void check_root(lua_State *L, const struct folder *folder, const char *root, const char *app)
{
    if (file_root_contains(&folder->root, app)) {
        luaL_error(
            L,
            "fsd.static: \"%s\" has the application's own code in it, which anybody could read "
            "then: put files into a folder of their own",
            root);
    }
}

/* Whether the bundle has files of the folder; then the name of one is pushed. */
static bool push_code_within(lua_State *L, const struct bundle *bundle, const char *path)
{
    char resolved[PATH_MAX];
    if (realpath(path, resolved) == NULL ||
        strncmp(resolved, bundle->root, bundle->root_len) != 0 ||
        resolved[bundle->root_len] != '/') {
        return false;
    }
    const char *below = resolved + bundle->root_len + 1;
    size_t len = strlen(below);
    for (size_t i = 0; i < bundle->file_count; i++) {
        const struct bundle_file *file = &bundle->files[i];
        if (file->name_len > len && memcmp(file->name, below, len) == 0 && file->name[len] == '/') {
            lua_pushlstring(L, file->name, file->name_len);
            return true;
        }
    }
    return false;
}

/* Opens the root at index 1. */
static void open_root(lua_State *L, struct folder *folder)
{
    struct fsd_err err;
    const char *root = lua_tostring(L, 1);
    const struct bundle *bundle = generations_push_folder(L);
    const char *app = bundle != NULL ? lua_tostring(L, -1) : NULL;
    const char *path = root;
    if (root[0] != '/' && app != NULL) {
        path = lua_pushfstring(L, "%s/%s", app, root);
    }
    if (file_root_open(&folder->root, path, &err) != 0) {
        luaL_error(L, "fsd.static: %s", err.text);
    }
    if (app != NULL) {
        check_root(L, folder, root, app);
    }
    if (bundle != NULL && push_code_within(L, bundle, path)) {
        logger_write(&runtime_of(L)->logger, LOG_LEVEL_WARNING,
                     "fsd.static: \"%s\" has code of the application in it, which anybody may "
                     "read: \"%s\"",
                     root, lua_tostring(L, -1));
    }
}

int static_new(lua_State *L)
{
    size_t len;
    const char *root = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len > 0 && strlen(root) == len, 1, "root must be the path of a folder");
    lua_settop(L, 2);
    struct static_folder *folder = lua_newuserdatauv(L, sizeof(*folder), 1);
    memset(folder, 0, sizeof(*folder));
    folder->native.kind = NATIVE_FOLDER;
    folder->folder.root.fd = -1;
    luaL_setmetatable(L, STATIC_METATABLE);
    folder_options_read(L, 2, &folder->folder);
    folder->has_function = lua_isfunction(L, -1);
    lua_setiuservalue(L, 3, 1);
    open_root(L, &folder->folder);
    lua_settop(L, 3);
    return 1;
}

static int static_gc(lua_State *L)
{
    struct static_folder *folder = luaL_checkudata(L, 1, STATIC_METATABLE);
    folder_fini(&folder->folder);
    return 0;
}

/* Of the res that a handler gives us; NULL: its request is over, or its answer was given. */
static struct exchange *check_exchange(lua_State *L)
{
    const struct http_object *object = lua_touserdata(L, AT_RESPONSE);
    bool is = object != NULL && lua_rawlen(L, AT_RESPONSE) == sizeof(*object) &&
              object->kind == HTTP_RESPONSE;
    if (!is) {
        luaL_argerror(L, AT_RESPONSE - 1, "expected res: call it as files(req, res, next)");
        __builtin_unreachable(); /* luaL_argerror does not return, but its prototype can't say so */
    }
    struct exchange *exchange = object->exchange;
    bool is_open =
        exchange != NULL && exchange->state == EXCHANGE_OPEN && !exchange->is_client_gone;
    return is_open ? exchange : NULL;
}

static int after_next(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

static int pass(lua_State *L)
{
    if (lua_isnoneornil(L, AT_NEXT)) {
        return 0;
    }
    lua_settop(L, AT_NEXT);
    lua_callk(L, 0, 0, 0, after_next);
    return 0;
}

static int answer(lua_State *L)
{
    const struct static_folder *folder = lua_touserdata(L, AT_FOLDER);
    struct exchange *exchange = check_exchange(L);
    struct file_given given;
    struct file_failure failure;
    if (exchange == NULL) {
        return 0;
    }
    struct file_request request = native_request(exchange);
    switch (static_ask(&folder->native, &request, &given, &failure)) {
    case FILE_GIVES:
        head_run(L, exchange);
        native_answer(exchange, &given);
        return 0;
    case FILE_PASSES:
        return pass(L);
    case FILE_FAILS:
        break;
    }
    return native_raise(L, &failure);
}

static int after_headers(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return answer(L);
}

/* Calls headers(res, path, { size =, modified = }) for a file that is there.  It is looked up again behind that: the function may wait. */
static int call_headers(lua_State *L, struct exchange *exchange)
{
    struct static_folder *folder = lua_touserdata(L, AT_FOLDER);
    struct file_request request = native_request(exchange);
    struct folder_search search;
    struct file_failure failure;
    if (folder_find(&folder->folder, &request, &search, &failure) != FILE_GIVES ||
        search.found.fd < 0) {
        return answer(L);
    }
    fd_close(&search.found.fd);
    (void)lua_getiuservalue(L, AT_FOLDER, 1);
    lua_pushvalue(L, AT_RESPONSE);
    lua_pushfstring(L, "%s/%s", folder->folder.root.path, search.name);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, (lua_Integer)search.found.size);
    lua_setfield(L, -2, "size");
    lua_pushnumber(L, (lua_Number)search.found.mtime_s + search.found.mtime_ns / 1e9);
    lua_setfield(L, -2, "modified");
    lua_callk(L, 3, 0, 0, after_headers);
    return after_headers(L, LUA_OK, 0);
}

/* files(req, res, next) */
static int static_call(lua_State *L)
{
    const struct static_folder *folder = luaL_checkudata(L, AT_FOLDER, STATIC_METATABLE);
    struct exchange *exchange = check_exchange(L);
    lua_settop(L, AT_NEXT);
    if (exchange == NULL) {
        return 0;
    }
    return folder->has_function ? call_headers(L, exchange) : answer(L);
}

void static_register(lua_State *L)
{
    luaL_newmetatable(L, STATIC_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, static_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, static_call);
    lua_setfield(L, -2, "__call");
    lua_pop(L, 1);
}
