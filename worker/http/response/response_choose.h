#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_CHOOSE_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_CHOOSE_H

#include <lua.h>
#include <stddef.h>

struct exchange;
struct parameter_text;

/* Which of count content types the client likes best, the first of equal ones; -1: it accepts none. */
int response_choose(const struct exchange *exchange, const struct parameter_text *types,
                    size_t count);
/* core.own.choose_type(res, {names}) -> index, content type; nil when the client accepts none.  Names are as for res:type; raises
 * for one that means nothing. */
int response_choose_type(lua_State *L);

#endif
