#ifndef FSD_WORKER_HTTP_STREAM_TRAILERS_H
#define FSD_WORKER_HTTP_STREAM_TRAILERS_H

#include <h2o.h>
#include <lua.h>

struct exchange;
struct stream;

/* Method of res: res:trailer(name, value). */
int trailers_add(lua_State *L);
/* The stream begins: takes over what was added for it before, and names them in the head. */
void trailers_announce(struct stream *stream);

#endif
