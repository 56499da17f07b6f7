#ifndef FSD_WORKER_HTTP_FILE_FOLDER_OPTIONS_H
#define FSD_WORKER_HTTP_FILE_FOLDER_OPTIONS_H

#include <lua.h>

struct folder;

/* Fills a folder from the options of fsd.static, a table at index or nil; without its root.  Raises for what is no option, or has a value
 * that it can't have; the folder can be ended by folder_fini then.  Leaves the option headers on the stack when it is a function,
 * else nil. */
void folder_options_read(lua_State *L, int index, struct folder *folder);

#endif
