#ifndef FSD_WORKER_HTTP_FILE_SEND_FILE_H
#define FSD_WORKER_HTTP_FILE_SEND_FILE_H

#include <lua.h>

/* Methods of res: res:send_file(path [, options]), res:download(path [, filename] [, options]). */
int send_file(lua_State *L);
int send_file_download(lua_State *L);

#endif
