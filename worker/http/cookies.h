#ifndef FSD_WORKER_HTTP_COOKIES_H
#define FSD_WORKER_HTTP_COOKIES_H

#include <lua.h>

struct exchange;

/* req.cookies and req.signed_cookies: names to values. */
void cookies_push(lua_State *L, struct exchange *exchange);
void cookies_push_signed(lua_State *L, struct exchange *exchange);
/* Methods of res: res:cookie, res:clear_cookie. */
int cookies_set(lua_State *L);
int cookies_clear(lua_State *L);

#endif
