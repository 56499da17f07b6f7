/* fs_error.c - what can go wrong with files, as fsd.fs says it.
 * Owns the rows of codes.  Called by the files of fsd.fs. */
#include "worker/toolbox/fs_error.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "worker/core/error.h"

enum { STATUS_INTERNAL_ERROR = 500 };

static const struct row {
    int error;
    const char *code;
} rows[] = {
    {ENOENT, "fs.not_found"},      {EEXIST, "fs.exists"},       {EACCES, "fs.permission"},
    {EPERM, "fs.permission"},      {EROFS, "fs.permission"},    {EISDIR, "fs.is_directory"},
    {ENOTDIR, "fs.not_directory"}, {ENOTEMPTY, "fs.not_empty"}, {ENOSPC, "fs.no_space"},
    {EDQUOT, "fs.no_space"},       {EFBIG, "fs.too_large"},     {EMFILE, "fs.too_many"},
    {ENFILE, "fs.too_many"},       {ELOOP, "fs.link"},
};

void fs_error_raise(lua_State *L, int error, const char *verb, const char *path)
{
    const char *code = "fs.failed";
    error = error < 0 ? -error : error;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].error == error) {
            code = rows[i].code;
        }
    }
    error_raise(L, "FsError", code, STATUS_INTERNAL_ERROR, "cannot %s \"%s\": %s", verb, path,
                strerror(error));
}

const char *fs_check_path(lua_State *L, int index)
{
    size_t len;
    luaL_checktype(L, index, LUA_TSTRING);
    const char *path = lua_tolstring(L, index, &len);
    luaL_argcheck(L, len > 0 && strlen(path) == len, index,
                  "a path must not be empty, nor have a zero byte in it");
    return path;
}
