#ifndef FSD_WORKER_HTTP_NATIVE_H
#define FSD_WORKER_HTTP_NATIVE_H

#include <lua.h>
#include <stddef.h>

#include "worker/http/file/file_answer.h"

struct exchange;

/* A handler that needs no Lua. */
enum native_kind {
    NATIVE_ANSWER, /* fsd.respond */
    NATIVE_FOLDER, /* fsd.static */
};

/* The first member of each; a Lua userdata. */
struct native {
    enum native_kind kind;
};

/* The native handler at index, or NULL when the value there is something else. */
const struct native *native_test(lua_State *L, int index);
/* What the handler of an exchange that runs asks files with. */
struct file_request native_request(const struct exchange *exchange);
/* Answers with what a native handler, or a file, gives. */
void native_answer(struct exchange *exchange, const struct file_given *given);
/* Asks a handler for its answer; sends nothing.  Headers are set in the request's response, and none unless it gives. */
enum file_verdict native_ask(const struct native *native, const struct file_request *request,
                             struct file_given *ret_given, struct file_failure *ret_failure);
/* Pushes, and raises, the Error that a handler has failed with. */
void native_push_error(lua_State *L, const struct file_failure *failure);
int native_raise(lua_State *L, const struct file_failure *failure);
/* fsd.respond(body [, { status = 200, type = "text/plain; charset=utf-8" }]) -> handler */
int native_respond(lua_State *L);
/* The class; once a state. */
void native_register(lua_State *L);

#endif
