/* file.c - open files for Lua.
 * Owns the descriptor of each, and closes it when Lua closes the file or collects it.  Files on disks can't be waited for: they are read
 * and written 256 KiB at a time, with a breath behind each piece, so that no call holds the loop for longer than a piece takes; what may
 * take long for other reasons, putting data on the disk, is done by a helper (compute.c).  Called by Lua. */
#include "worker/toolbox/file.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "worker/core/stdlib/breath.h"
#include "worker/toolbox/compute.h"
#include "worker/toolbox/fs_error.h"
#include "worker/toolbox/hex.h"
#include "worker/toolbox/random.h"

enum {
    PIECE_BYTES = 256 * 1024,
    COPY_BYTES = 1024 * 1024,
    READ_MAX = 64 * 1024 * 1024, /* no string is longer (core/stdlib/stdlib.h) */
    RANDOM_BYTES = 8,
    TRIES = 100,
};

/* The path, for messages, is its user value. */
struct file {
    int fd; /* owned; -1: closed */
};

static const struct how {
    const char *name;
    int flags;
} hows[] = {
    {"r", O_RDONLY}, {"w", O_WRONLY | O_CREAT | O_TRUNC}, {"a", O_WRONLY | O_CREAT | O_APPEND},
    {"r+", O_RDWR},  {"x", O_WRONLY | O_CREAT | O_EXCL},  {"dir", O_RDONLY | O_DIRECTORY},
};

static int read_how(lua_State *L, int index)
{
    const char *name = luaL_checkstring(L, index);
    for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
        if (strcmp(hows[i].name, name) == 0) {
            return hows[i].flags;
        }
    }
    return luaL_argerror(L, index, "must be \"r\", \"w\", \"a\", \"r+\" or \"x\"");
}

int *file_push(lua_State *L)
{
    struct file *file = lua_newuserdatauv(L, sizeof(*file), 1);
    file->fd = -1;
    luaL_setmetatable(L, FILE_METATABLE);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, 1);
    return &file->fd;
}

int file_open(lua_State *L)
{
    struct stat info;
    const char *path = fs_check_path(L, 1);
    int flags = read_how(L, 2) | O_CLOEXEC | O_NONBLOCK; /* so that a FIFO is not waited for */
    mode_t mode = (mode_t)luaL_optinteger(L, 3, 0666);
    lua_settop(L, 1);
    int *fd = file_push(L);
    *fd = open(path, flags, mode);
    if (*fd < 0 || fstat(*fd, &info) != 0) {
        fs_error_raise(L, errno, "open", path);
    }
    if ((flags & O_DIRECTORY) == 0 && S_ISDIR(info.st_mode)) {
        fd_close(fd);
        fs_error_raise(L, EISDIR, "open", path);
    }
    return 1;
}

int file_temporary(lua_State *L)
{
    const char *folder = fs_check_path(L, 1);
    const char *prefix = luaL_checkstring(L, 2);
    mode_t mode = (mode_t)luaL_checkinteger(L, 3);
    for (int i = 0; i < TRIES; i++) {
        uint8_t bytes[RANDOM_BYTES];
        char name[2 * RANDOM_BYTES + 1] = "";
        random_fill(L, bytes, sizeof(bytes));
        hex_encode(bytes, sizeof(bytes), name);
        lua_settop(L, 3);
        const char *path = lua_pushfstring(L, "%s/%s%s", folder, prefix, name);
        int *fd = file_push(L);
        *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (*fd >= 0) {
            lua_insert(L, -2);
            return 2;
        }
        if (errno != EEXIST) {
            fs_error_raise(L, errno, "make a file in", folder);
        }
    }
    fs_error_raise(L, EEXIST, "make a file in", folder);
}

int file_check(lua_State *L, int index)
{
    const struct file *file = luaL_checkudata(L, index, FILE_METATABLE);
    luaL_argcheck(L, file->fd >= 0, index, "the file is closed");
    return file->fd;
}

static _Noreturn void raise_failed(lua_State *L, int index, const char *verb, int error)
{
    lua_getiuservalue(L, index, 1);
    fs_error_raise(L, error, verb, lua_tostring(L, -1));
}

/* file:read([n]) -> data, or nil at the end */
static int file_read(lua_State *L)
{
    luaL_Buffer buf;
    int fd = file_check(L, 1);
    lua_Integer count = luaL_optinteger(L, 2, PIECE_BYTES);
    luaL_argcheck(L, count > 0 && count <= PIECE_BYTES, 2, "must be between 1 and 262144 bytes");
    char *bytes = luaL_buffinitsize(L, &buf, (size_t)count);
    ssize_t len = read(fd, bytes, (size_t)count);
    if (len < 0) {
        raise_failed(L, 1, "read", errno);
    }
    luaL_pushresultsize(&buf, (size_t)len);
    if (len == 0) {
        lua_pushnil(L);
    }
    return 1;
}

static int read_on(lua_State *L, int status, lua_KContext done);

/* Index 1: the file; 2: how much there is room for in the userdata at 3; 4: whether that is all that was there. */
static int read_from(lua_State *L, size_t done)
{
    size_t room = (size_t)lua_tointeger(L, 2);
    char *bytes = lua_touserdata(L, 3);
    ssize_t len = 1;
    while (len > 0 && done < room) {
        size_t left = room - done;
        len = read(file_check(L, 1), bytes + done, left < PIECE_BYTES ? left : PIECE_BYTES);
        if (len < 0) {
            raise_failed(L, 1, "read", errno);
        }
        done += (size_t)len;
        if (room > PIECE_BYTES) {
            breath_take(L, (lua_KContext)done, read_on);
        }
    }
    if (len > 0 && !lua_toboolean(L, 4)) {
        raise_failed(L, 1, "read", EFBIG);
    }
    lua_pushlstring(L, bytes, done);
    return 1;
}

static int read_on(lua_State *L, int status, lua_KContext done)
{
    (void)status;
    return read_from(L, (size_t)done);
}

/* A file says how long it is; of those that the kernel makes as they are read, which say 0, one piece is read. */
int file_read_all(lua_State *L)
{
    struct stat info;
    int fd = file_check(L, 1);
    lua_Integer max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, max >= 0 && max <= READ_MAX, 2, "must be between 0 and 64 MiB");
    if (fstat(fd, &info) != 0 || info.st_size > max) {
        raise_failed(L, 1, "read", EFBIG);
    }
    bool is_known = info.st_size > 0;
    lua_Integer room = is_known ? (lua_Integer)info.st_size : PIECE_BYTES;
    room = room > max ? max + 1 : room;
    lua_settop(L, 1);
    lua_pushinteger(L, room);
    (void)lua_newuserdatauv(L, (size_t)room, 0);
    lua_pushboolean(L, is_known);
    return read_from(L, 0);
}

static int write_on(lua_State *L, int status, lua_KContext done);

static int write_from(lua_State *L, size_t done)
{
    size_t len;
    const char *data = lua_tolstring(L, 2, &len);
    while (done < len) {
        size_t left = len - done;
        ssize_t part =
            write(file_check(L, 1), data + done, left < PIECE_BYTES ? left : PIECE_BYTES);
        if (part < 0 && errno != EINTR) {
            raise_failed(L, 1, "write", errno);
        }
        done += part > 0 ? (size_t)part : 0;
        if (len > PIECE_BYTES) {
            breath_take(L, (lua_KContext)done, write_on);
        }
    }
    lua_settop(L, 1);
    return 1;
}

static int write_on(lua_State *L, int status, lua_KContext done)
{
    (void)status;
    return write_from(L, (size_t)done);
}

/* file:write(data) -> file */
static int file_write(lua_State *L)
{
    (void)file_check(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    return write_from(L, 0);
}

static int copy_on(lua_State *L, int status, lua_KContext context);

/* Between most file systems the kernel copies; where it refuses, pieces go through here. */
static int copy_from(lua_State *L)
{
    ssize_t len = 1;
    while (len > 0) {
        int from = file_check(L, 1);
        int to = file_check(L, 2);
        len = copy_file_range(from, NULL, to, NULL, COPY_BYTES, 0);
        if (len < 0 || (len == 0 && lseek(from, 0, SEEK_CUR) == 0)) {
            char bytes[64 * 1024];
            len = read(from, bytes, sizeof(bytes));
            if (len < 0) {
                raise_failed(L, 1, "read", errno);
            }
            int error = fd_write_all(to, bytes, (size_t)len);
            if (error != 0) {
                raise_failed(L, 2, "write", error);
            }
        }
        breath_take(L, 0, copy_on);
    }
    return 0;
}

static int copy_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return copy_from(L);
}

int file_copy_all(lua_State *L)
{
    (void)file_check(L, 1);
    (void)file_check(L, 2);
    lua_settop(L, 2);
    return copy_from(L);
}

/* file:seek(["set" | "cur" | "end" [, offset]]) -> position */
static int file_seek(lua_State *L)
{
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    static const char *const names[] = {"set", "cur", "end", NULL};
    int fd = file_check(L, 1);
    int whence = whences[luaL_checkoption(L, 2, "cur", names)];
    off_t position = lseek(fd, (off_t)luaL_optinteger(L, 3, 0), whence);
    if (position < 0) {
        raise_failed(L, 1, "seek in", errno);
    }
    lua_pushinteger(L, (lua_Integer)position);
    return 1;
}

static int on_synced(lua_State *L, const struct compute_result *result)
{
    if (result->error != 0) {
        raise_failed(L, 1, "sync", result->error);
    }
    lua_settop(L, 1);
    return 1;
}

/* file:sync() -> file; waits until the data are on the disk */
static int file_sync(lua_State *L)
{
    int fd = file_check(L, 1);
    lua_settop(L, 1);
    struct compute_job *job = compute_push(L);
    job->request.kind = COMPUTE_SYNC;
    job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (job->fd < 0) {
        raise_failed(L, 1, "sync", errno);
    }
    return compute_run(L, job, on_synced);
}

/* What was written may be told only now to be lost. */
static int file_close(lua_State *L)
{
    struct file *file = luaL_checkudata(L, 1, FILE_METATABLE);
    int fd = file->fd;
    file->fd = -1;
    if (fd >= 0 && close(fd) != 0 && errno != EINTR) {
        raise_failed(L, 1, "close", errno);
    }
    return 0;
}

static int file_gc(lua_State *L)
{
    struct file *file = luaL_checkudata(L, 1, FILE_METATABLE);
    fd_close(&file->fd);
    return 0;
}

static const luaL_Reg methods[] = {
    {"close", file_close}, {"read", file_read},   {"seek", file_seek},
    {"sync", file_sync},   {"write", file_write}, {NULL, NULL},
};

static const luaL_Reg metamethods[] = {{"__close", file_gc}, {"__gc", file_gc}, {NULL, NULL}};

void file_register(lua_State *L)
{
    luaL_newmetatable(L, FILE_METATABLE);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, FILE_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
