#ifndef FSD_WORKER_HTTP_FILE_STATIC_H
#define FSD_WORKER_HTTP_FILE_STATIC_H

#include <lua.h>

#include "worker/http/file/file_answer.h"

struct native;

/* fsd.static(root [, options]) -> handler */
int static_new(lua_State *L);
/* The folder at index, when it needs no Lua: NULL for one whose option headers is a function, and for anything else. */
const struct native *static_test(lua_State *L, int index);
/* As native_ask. */
enum file_verdict static_ask(const struct native *native, const struct file_request *request,
                             struct file_given *ret_given, struct file_failure *ret_failure);
/* The class; once a state. */
void static_register(lua_State *L);

#endif
