#ifndef FSD_WORKER_HTTP_ENDING_H
#define FSD_WORKER_HTTP_ENDING_H

#include <lua.h>
#include <stdbool.h>

struct exchange;

/* What libh2o's request knows of somebody who wants to hear of its end; in the memory of that request. */
struct ending_anchor;

/* The answer is libh2o's, or will never be given; is_whole: nothing of it is missing.  anchor may be NULL: nobody wants to know. */
void ending_note(struct ending_anchor *anchor, int status, bool is_whole);
/* The exchange is over, whether libh2o's request is or not. */
void ending_forget(struct exchange *exchange);

/* core.own.ending(res) -> what wait_ending takes: of each request there is one. */
int ending_open(lua_State *L);
/* core.own.wait_ending(ending): returns when the request is over and its answer has left; for one task. */
int ending_wait(lua_State *L);
/* core.own.read_ending(ending) -> { status =, complete = } */
int ending_read(lua_State *L);
/* The class; once a state. */
void ending_register(lua_State *L);

#endif
