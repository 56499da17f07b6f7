/* mod_fs.c - what fsd.fs (lua/fsd/fs.lua) has in C.
 *   core.open(path, "r" | "w" | "a" | "r+" | "x" | "dir" [, mode]) -> file    core.temporary(folder, prefix, mode) -> file, path
 *   core.read_all(file, max) -> data      core.copy_all(from, to)             core.set_mode(file, mode)
 *   core.list(path or file) -> names, types by name                           core.stat(path, follows) -> table or nil
 *   core.make(path, mode [, is_asking]) -> boolean, or nil: a parent is missing
 *   core.remove(path, is_folder) -> boolean                                   core.rename(from, to)
 *   core.replace(from, to)                as rename, in a helper
 *   core.open_at(file or nil, name) -> file                                   core.remove_at(file, name, is_folder)
 *   core.real_path(path) -> path or nil   core.watch(path) -> watcher
 * Owns nothing; file.c, folder.c and fs_watch.c do it.  What the system refuses raises an FsError (fs_error.c). */
#include "worker/toolbox/mod_fs.h"

#include <lauxlib.h>

#include "worker/toolbox/file.h"
#include "worker/toolbox/folder.h"
#include "worker/toolbox/fs_watch.h"

static const luaL_Reg functions[] = {
    {"copy_all", file_copy_all},     {"list", folder_list},
    {"make", folder_make},           {"open", file_open},
    {"open_at", folder_open_at},     {"read_all", file_read_all},
    {"real_path", folder_real_path}, {"remove", folder_remove},
    {"remove_at", folder_remove_at}, {"rename", folder_rename},
    {"replace", folder_replace},     {"set_mode", folder_set_mode},
    {"stat", folder_stat},           {"temporary", file_temporary},
    {"watch", fs_watch_new},         {NULL, NULL},
};

int luaopen_fsd_fs_core(lua_State *L)
{
    file_register(L);
    fs_watch_register(L);
    luaL_newlib(L, functions);
    return 1;
}
