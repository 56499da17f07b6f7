/* send_file.c - answers of handlers that are files.
 *   res:send_file(path [, options])      res:download(path [, filename] [, options])
 *     options: those of file_options.c, and root, first, last
 * Owns nothing; a file that is open between two steps that may raise is the request's.  A path is a name and no URL.  With a root it is
 * looked up below that and nothing else is ever found, so it may come from a client; without one it has to be absolute.
 * Called by response.c.  Must not know what of the file is sent (file_answer.c). */
#include "worker/http/file/send_file.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "worker/core/generations.h"
#include "worker/http/exchange.h"
#include "worker/http/file/file_answer.h"
#include "worker/http/file/file_options.h"
#include "worker/http/file/file_path.h"
#include "worker/http/file/file_root.h"
#include "worker/http/head.h"
#include "worker/http/native.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/text/disposition.h"

enum { AT_RESPONSE = 1, AT_PATH, AT_NAME, AT_OPTIONS, AT_ROOT };

/* One call. */
struct sending {
    const char *caller;
    const char *path; /* on Lua's stack, as root */
    size_t len;
    const char *root; /* NULL: none */
    struct file_options options;
    struct file_content content;
};

static const char *const names[] = {
    "accept_ranges", "cache_control", "dotfiles",      "etag",    "first", "headers",
    "immutable",     "last",          "last_modified", "max_age", "root",
};

static void check_table(lua_State *L, const struct sending *sending, int index, const char *what)
{
    if (lua_type(L, index) != LUA_TTABLE) {
        luaL_error(L, "%s: %s must be a table, got %s", sending->caller, what,
                   luaL_typename(L, index));
    }
}

static uint64_t check_place(lua_State *L, const struct sending *sending, const char *name)
{
    int is_integer = 0;
    lua_Integer place = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || place < 0) {
        luaL_error(L, "%s: option \"%s\" must be the number of a byte, from 0 on", sending->caller,
                   name);
    }
    return (uint64_t)place;
}

/* A relative one is in the application's folder. */
static void take_root(lua_State *L, struct sending *sending)
{
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "%s: option \"root\" must be the path of a folder, got %s", sending->caller,
                   luaL_typename(L, -1));
    }
    const char *root = lua_tostring(L, -1);
    if (root[0] != '/' && generations_push_folder(L) != NULL) {
        root = lua_pushfstring(L, "%s/%s", lua_tostring(L, -1), root);
        lua_replace(L, AT_ROOT);
        lua_pop(L, 1);
    }
    sending->root = root;
}

/* One option: the name at -2, the value at -1. */
static void take_option(lua_State *L, struct sending *sending)
{
    if (lua_type(L, -2) != LUA_TSTRING) {
        luaL_error(L, "%s: options have names", sending->caller);
    }
    const char *name = lua_tostring(L, -2);
    if (strcmp(name, "root") == 0) {
        take_root(L, sending);
    } else if (strcmp(name, "first") == 0) {
        sending->content.first = check_place(L, sending, name);
        sending->content.has_window = true;
    } else if (strcmp(name, "last") == 0) {
        sending->content.last = check_place(L, sending, name);
        sending->content.has_window = true;
    } else if (strcmp(name, "headers") == 0) {
        check_table(L, sending, -1, "option \"headers\"");
    } else if (!file_options_take(L, &sending->options, sending->caller, name)) {
        (void)file_options_refuse(L, sending->caller, name, names,
                                  sizeof(names) / sizeof(names[0]));
    }
}

static void read_options(lua_State *L, struct sending *sending)
{
    file_options_init(&sending->options);
    sending->content.last = UINT64_MAX;
    if (!lua_isnoneornil(L, AT_OPTIONS)) {
        check_table(L, sending, AT_OPTIONS, "options");
        for (lua_pushnil(L); lua_next(L, AT_OPTIONS) != 0; lua_pop(L, 1)) {
            take_option(L, sending);
        }
    }
    file_options_finish(&sending->options);
    if (sending->root == NULL && sending->path[0] != '/') {
        luaL_argerror(L, AT_PATH, "path must be absolute, or below the option root");
    }
}

static int fail(struct file_failure *failure, enum file_path_fault fault)
{
    switch (fault) {
    case FILE_PATH_MALFORMED:
        return file_answer_fail(failure, 400, "bad_path", "the path has a NUL");
    case FILE_PATH_FORBIDDEN:
        return file_answer_fail(failure, 403, "forbidden", "the path may not be sent");
    case FILE_PATH_TOO_LONG:
    case FILE_PATH_FINE:
        break;
    }
    return file_answer_fail(failure, 404, "not_found", "there is no such file");
}

static int fail_dotfile(const struct sending *sending, struct file_failure *failure)
{
    bool denies = sending->options.dotfiles == FILE_DOTFILES_DENY;
    return fail(failure, denies ? FILE_PATH_FORBIDDEN : FILE_PATH_TOO_LONG);
}

/* -1 with a failure, or what looking for it says. */
static int find_below(struct sending *sending, struct file_failure *failure)
{
    struct file_path path;
    struct file_root root;
    size_t slashes = strspn(sending->path, "/");
    enum file_path_fault fault =
        file_path_take(sending->path + slashes, sending->len - slashes, &path);
    if (fault != FILE_PATH_FINE || path.is_folder) {
        return fail(failure, fault);
    }
    if (path.has_dotfile && sending->options.dotfiles != FILE_DOTFILES_ALLOW) {
        return fail_dotfile(sending, failure);
    }
    int error = file_root_open(&root, sending->root, NULL);
    if (error == 0) {
        error = file_root_find(&root, path.name, &sending->content.found);
        file_root_close(&root);
    }
    return error == 0 ? 0 : file_answer_fail_as(failure, error);
}

/* Of an absolute path: whether some part of it is "..", or begins with a dot. */
static enum file_path_fault judge_absolute(const struct sending *sending, bool *ret_has_dotfile)
{
    if (strlen(sending->path) != sending->len) {
        return FILE_PATH_MALFORMED;
    }
    *ret_has_dotfile = false;
    for (const char *part = sending->path; *part != '\0';) {
        part += strspn(part, "/");
        size_t len = strcspn(part, "/");
        if (len == 2 && memcmp(part, "..", 2) == 0) {
            return FILE_PATH_FORBIDDEN;
        }
        *ret_has_dotfile |= len > 1 && part[0] == '.';
        part += len;
    }
    return FILE_PATH_FINE;
}

static int find_absolute(struct sending *sending, struct file_failure *failure)
{
    bool has_dotfile = false;
    enum file_path_fault fault = judge_absolute(sending, &has_dotfile);
    if (fault != FILE_PATH_FINE) {
        return fail(failure, fault);
    }
    if (has_dotfile && sending->options.dotfiles != FILE_DOTFILES_ALLOW) {
        return fail_dotfile(sending, failure);
    }
    int error = file_find(sending->path, &sending->content.found);
    return error == 0 ? 0 : file_answer_fail_as(failure, error);
}

static void on_disposed(void *disposed)
{
    fd_close(disposed);
}

/* Whatever raises from here on, the file is closed with the request. */
static int *hold(h2o_req_t *req, int fd)
{
    int *held = h2o_mem_alloc_shared(&req->pool, sizeof(*held), on_disposed);
    *held = fd;
    return held;
}

/* The headers that the handler gives along. */
static void put_headers(lua_State *L, const struct exchange *exchange, const char *name, size_t len)
{
    h2o_req_t *req = exchange->req;
    if (name != NULL) {
        name = disposition_base_name(name, len, &len);
        char *text = h2o_mem_alloc_pool(&req->pool, DISPOSITION_MAX(len));
        size_t text_len = disposition_format(name, len, text);
        response_headers_put(req, "content-disposition", h2o_iovec_init(text, text_len));
    }
    if (lua_type(L, AT_OPTIONS) == LUA_TTABLE &&
        lua_getfield(L, AT_OPTIONS, "headers") == LUA_TTABLE) {
        lua_pushcfunction(L, response_headers_set);
        lua_pushvalue(L, AT_RESPONSE);
        lua_pushvalue(L, -3);
        lua_call(L, 2, 0);
    }
}

/* Raises; the path that the handler gave is for its eyes only. */
static int raise(lua_State *L, const struct file_failure *failure)
{
    native_push_error(L, failure);
    lua_pushvalue(L, AT_PATH);
    lua_setfield(L, -2, "path");
    return lua_error(L);
}

/* name NULL: the client is not told to save it. */
static int give(lua_State *L, struct exchange *exchange, struct sending *sending, const char *name,
                size_t len)
{
    struct file_failure failure;
    struct file_given given;
    int error =
        sending->root != NULL ? find_below(sending, &failure) : find_absolute(sending, &failure);
    if (error != 0) {
        return raise(L, &failure);
    }
    int *held = hold(exchange->req, sending->content.found.fd);
    put_headers(L, exchange, name, len);
    *held = -1;
    sending->content.name = sending->path;
    struct file_request request = native_request(exchange);
    if (file_answer_give(&request, &sending->options, &sending->content, &given, &failure) != 0) {
        return raise(L, &failure);
    }
    head_run(L, exchange);
    native_answer(exchange, &given);
    return 0;
}

int send_file(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    struct sending sending = {.caller = "res:send_file"};
    sending.path = luaL_checklstring(L, AT_PATH, &sending.len);
    lua_settop(L, AT_PATH + 1);
    lua_pushnil(L);
    lua_insert(L, AT_NAME);
    lua_settop(L, AT_ROOT);
    read_options(L, &sending);
    return response_is_open(L, exchange) ? give(L, exchange, &sending, NULL, 0) : 0;
}

int send_file_download(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    struct sending sending = {.caller = "res:download"};
    sending.path = luaL_checklstring(L, AT_PATH, &sending.len);
    if (lua_type(L, AT_NAME) == LUA_TTABLE) { /* the name may be left out */
        lua_pushnil(L);
        lua_insert(L, AT_NAME);
    }
    lua_settop(L, AT_ROOT);
    size_t len = sending.len;
    const char *name = luaL_optlstring(L, AT_NAME, sending.path, &len);
    read_options(L, &sending);
    return response_is_open(L, exchange) ? give(L, exchange, &sending, name, len) : 0;
}
