/* body_file.c - files that bodies are written to:
 *   core.create(req, path, temporary) -> file    made anew, mode 0600; a temporary one goes with the request
 *   core.temporary([folder]) -> path             a name that nothing has yet
 *   core.write(req, file, first, len)            that piece of the body
 *   core.close(file)                             core.keep(file): it is no longer temporary
 * Owns descriptors and temporary files, each in a userdata that the req's task holds on to: whatever happens, they are closed and
 * removed when the task ends.  Writing is in pieces of the caller's size; who yields between them is lua/fsd/http.
 * Called by lua/fsd/http.  Must not know names that clients send. */
#include "worker/http/body/body_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "worker/core/error.h"
#include "worker/core/task.h"
#include "worker/http/body/body_bytes.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request.h"

enum { AT_FILE = 2, MODE = 0600, NAME_BYTES = 12 };

static const char metatable[] = "fsd.body.file";

struct body_file {
    int fd;
    char *temporary; /* owned: its path, to be removed; NULL: it stays */
    struct task_hold hold;
};

static void close_file(struct body_file *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd); /* what failed to be written has said so in write */
        file->fd = -1;
    }
}

static void remove_file(struct body_file *file)
{
    if (file->temporary != NULL) {
        (void)unlink(file->temporary); /* somebody may have removed it already */
        free(file->temporary);
        file->temporary = NULL;
    }
}

static void on_task_end(struct task_hold *hold)
{
    struct body_file *file = H2O_STRUCT_FROM_MEMBER(struct body_file, hold, hold);
    close_file(file);
    remove_file(file);
}

static int file_gc(lua_State *L)
{
    struct body_file *file = lua_touserdata(L, 1);
    task_hold_remove(&file->hold);
    close_file(file);
    remove_file(file);
    return 0;
}

static _Noreturn void fail(lua_State *L, const char *verb, const char *path)
{
    char reason[128];
    int number = errno;
    const char *text = strerror_r(number, reason, sizeof(reason));
    error_raise(L, "FileError", number == EEXIST ? "EEXIST" : "file", 500, "cannot %s \"%s\": %s",
                verb, path, text);
}

static struct body_file *push_file(lua_State *L)
{
    struct body_file *file = lua_newuserdatauv(L, sizeof(*file), 0);
    *file = (struct body_file){.fd = -1, .hold.on_task_end = on_task_end};
    if (luaL_newmetatable(L, metatable)) {
        lua_pushcfunction(L, file_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return file;
}

int body_file_create(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    const char *path = luaL_checkstring(L, 2);
    bool is_temporary = lua_toboolean(L, 3);
    struct body_file *file = push_file(L);
    file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
    if (file->fd < 0) {
        fail(L, "create", path);
    }
    if (is_temporary) {
        file->temporary = strdup(path);
        if (file->temporary == NULL) {
            abort();
        }
    }
    task_hold_add(exchange->task, &file->hold);
    return 1;
}

int body_file_temporary(lua_State *L)
{
    const char *folder = lua_isnoneornil(L, 1) ? getenv("TMPDIR") : luaL_checkstring(L, 1);
    unsigned char bytes[NAME_BYTES];
    char name[2 * NAME_BYTES + 1];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        abort();
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        (void)snprintf(name + 2 * i, 3, "%02x", bytes[i]); /* fits */
    }
    lua_pushfstring(L, "%s/fsd-%s", folder != NULL ? folder : "/tmp", name);
    return 1;
}

int body_file_write(lua_State *L)
{
    struct body_text body = body_bytes(L);
    const struct body_file *file = luaL_checkudata(L, AT_FILE, metatable);
    size_t first = (size_t)luaL_checkinteger(L, 3);
    size_t len = (size_t)luaL_checkinteger(L, 4);
    luaL_argcheck(L, first <= body.len && len <= body.len - first, 4, "is not in the body");
    luaL_argcheck(L, file->fd >= 0, AT_FILE, "is closed");
    while (len > 0) {
        ssize_t written = write(file->fd, body.bytes + first, len);
        if (written < 0 && errno != EINTR) {
            fail(L, "write", file->temporary != NULL ? file->temporary : "the file");
        }
        if (written > 0) {
            first += (size_t)written;
            len -= (size_t)written;
        }
    }
    return 0;
}

int body_file_close(lua_State *L)
{
    close_file(luaL_checkudata(L, 1, metatable));
    return 0;
}

int body_file_keep(lua_State *L)
{
    struct body_file *file = luaL_checkudata(L, 1, metatable);
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}
