/* folder.c - names in folders: what they are, lists, making, moving and removing them.
 * Owns nothing but a DIR while it is read, in a userdata that closes it.  Each call is one of the kernel's, and short; a long list is read
 * with a breath now and then.  Removing a tree goes by descriptors (openat, unlinkat), so that nobody can put a link in the way.
 * Called by Lua. */
#include "worker/toolbox/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/core/stdlib/breath.h"
#include "worker/toolbox/compute.h"
#include "worker/toolbox/file.h"
#include "worker/toolbox/fs_error.h"

enum { NAMES_A_BREATH = 256 };

static const char *type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "link";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    case S_IFCHR:
    case S_IFBLK:
        return "device";
    default:
        return "unknown";
    }
}

static const char *entry_type(int folder, const struct dirent *entry)
{
    struct stat info;
    if (entry->d_type != DT_UNKNOWN) {
        return type_of((mode_t)DTTOIF(entry->d_type));
    }
    return fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? type_of(info.st_mode)
                                                                           : "unknown";
}

struct reader {
    DIR *dir; /* owned; NULL: closed */
};

static int reader_gc(lua_State *L)
{
    struct reader *reader = lua_touserdata(L, 1);
    if (reader->dir != NULL) {
        (void)closedir(reader->dir);
        reader->dir = NULL;
    }
    return 0;
}

static struct reader *push_reader(lua_State *L)
{
    struct reader *reader = lua_newuserdatauv(L, sizeof(*reader), 0);
    reader->dir = NULL;
    if (luaL_newmetatable(L, "fsd.fs.reader")) {
        lua_pushcfunction(L, reader_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, reader_gc);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    return reader;
}

static int list_on(lua_State *L, int status, lua_KContext count);

/* Index 1: the path or the folder's file; 2: the reader, to be closed; 3: names; 4: types by name. */
static int list_from(lua_State *L, lua_Integer count)
{
    struct reader *reader = lua_touserdata(L, 2);
    const struct dirent *entry = NULL;
    while ((entry = readdir(reader->dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, 3, ++count);
        lua_pushstring(L, entry_type(dirfd(reader->dir), entry));
        lua_setfield(L, 4, entry->d_name);
        if (count % NAMES_A_BREATH == 0) {
            breath_take(L, (lua_KContext)count, list_on);
        }
    }
    return 2;
}

static int list_on(lua_State *L, int status, lua_KContext count)
{
    (void)status;
    return list_from(L, (lua_Integer)count);
}

/* core.list(path or file) -> names, types by name */
int folder_list(lua_State *L)
{
    bool is_path = lua_type(L, 1) == LUA_TSTRING;
    const char *path = is_path ? fs_check_path(L, 1) : ".";
    int from = is_path ? AT_FDCWD : file_check(L, 1);
    lua_settop(L, 1);
    struct reader *reader = push_reader(L);
    lua_toclose(L, 2);
    int fd = openat(from, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    reader->dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (reader->dir == NULL) {
        fs_error_raise(L, errno, "list", path);
    }
    lua_newtable(L);
    lua_newtable(L);
    return list_from(L, 0);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_time(lua_State *L, const char *name, const struct timespec *time)
{
    lua_pushnumber(L, (lua_Number)time->tv_sec + (lua_Number)time->tv_nsec / 1e9);
    lua_setfield(L, -2, name);
}

/* core.stat(path, follows) -> table, or nil */
int folder_stat(lua_State *L)
{
    struct stat info;
    const char *path = fs_check_path(L, 1);
    int flags = lua_toboolean(L, 2) ? 0 : AT_SYMLINK_NOFOLLOW;
    if (fstatat(AT_FDCWD, path, &info, flags) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            fs_error_raise(L, errno, "look at", path);
        }
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 9);
    lua_pushstring(L, type_of(info.st_mode));
    lua_setfield(L, -2, "type");
    set_integer(L, "size", (lua_Integer)info.st_size);
    set_integer(L, "mode", (lua_Integer)(info.st_mode & 07777));
    set_integer(L, "uid", (lua_Integer)info.st_uid);
    set_integer(L, "gid", (lua_Integer)info.st_gid);
    set_integer(L, "inode", (lua_Integer)info.st_ino);
    set_integer(L, "links", (lua_Integer)info.st_nlink);
    set_time(L, "modified", &info.st_mtim);
    set_time(L, "changed", &info.st_ctim);
    return 1;
}

/* core.make(path, mode [, is_asking]) -> whether it was made; who only asks gets false when there is one, and nil when a parent is missing */
int folder_make(lua_State *L)
{
    const char *path = fs_check_path(L, 1);
    bool is_asking = lua_toboolean(L, 3) != 0;
    bool is_made = mkdir(path, (mode_t)luaL_checkinteger(L, 2)) == 0;
    if (!is_made && is_asking && errno == ENOENT) {
        lua_pushnil(L);
        return 1;
    }
    if (!is_made && (!is_asking || errno != EEXIST)) {
        fs_error_raise(L, errno, "make the folder", path);
    }
    lua_pushboolean(L, is_made);
    return 1;
}

/* core.remove(path, is_folder) -> whether it was there */
int folder_remove(lua_State *L)
{
    const char *path = fs_check_path(L, 1);
    bool is_removed = unlinkat(AT_FDCWD, path, lua_toboolean(L, 2) ? AT_REMOVEDIR : 0) == 0;
    if (!is_removed && errno != ENOENT) {
        fs_error_raise(L, errno, "remove", path);
    }
    lua_pushboolean(L, is_removed);
    return 1;
}

/* core.remove_at(file, name, is_folder): of an open folder */
int folder_remove_at(lua_State *L)
{
    int folder = file_check(L, 1);
    const char *name = fs_check_path(L, 2);
    if (unlinkat(folder, name, lua_toboolean(L, 3) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT) {
        fs_error_raise(L, errno, "remove", name);
    }
    return 0;
}

/* core.open_at(file or nil, name) -> file: a folder, and no link to one */
int folder_open_at(lua_State *L)
{
    int folder = lua_isnil(L, 1) ? AT_FDCWD : file_check(L, 1);
    const char *name = fs_check_path(L, 2);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    int *ret_fd = file_push(L);
    *ret_fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_fd < 0) {
        fs_error_raise(L, errno, "open", name);
    }
    return 1;
}

/* core.rename(from, to) */
int folder_rename(lua_State *L)
{
    const char *from = fs_check_path(L, 1);
    const char *to = fs_check_path(L, 2);
    if (rename(from, to) != 0) {
        fs_error_raise(L, errno, "rename", from);
    }
    return 0;
}

static int on_replaced(lua_State *L, const struct compute_result *result)
{
    if (result->error != 0) {
        fs_error_raise(L, result->error, "rename", lua_tostring(L, 1));
    }
    return 0;
}

/* core.replace(from, to): as rename, by a helper if it can be: for long files, which take long to write and to free */
int folder_replace(lua_State *L)
{
    size_t from_len;
    size_t to_len;
    const char *from = fs_check_path(L, 1);
    const char *to = fs_check_path(L, 2);
    (void)lua_tolstring(L, 1, &from_len);
    (void)lua_tolstring(L, 2, &to_len);
    bool can_wait = task_of(L) != NULL && !task_is_declaring(L) && lua_isyieldable(L);
    if (!can_wait || from_len + to_len + 2 > COMPUTE_TEXT_MAX) {
        return folder_rename(L);
    }
    lua_settop(L, 2);
    struct compute_job *job = compute_push(L);
    job->request.kind = COMPUTE_RENAME;
    job->request.len = from_len + to_len + 2;
    memcpy(job->request.text, from, from_len + 1);
    memcpy(job->request.text + from_len + 1, to, to_len + 1);
    return compute_run(L, job, on_replaced);
}

/* core.set_mode(file, mode): of an open file */
int folder_set_mode(lua_State *L)
{
    int fd = file_check(L, 1);
    if (fchmod(fd, (mode_t)luaL_checkinteger(L, 2)) != 0) {
        fs_error_raise(L, errno, "set the mode of", "a file");
    }
    return 0;
}

/* core.real_path(path) -> path without links, or nil */
int folder_real_path(lua_State *L)
{
    char found[PATH_MAX];
    const char *path = fs_check_path(L, 1);
    if (realpath(path, found) == NULL) {
        if (errno != ENOENT && errno != ENOTDIR) {
            fs_error_raise(L, errno, "look at", path);
        }
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, found);
    return 1;
}
