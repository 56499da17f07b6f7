#ifndef FSD_WORKER_HTTP_BODY_BODY_FORM_H
#define FSD_WORKER_HTTP_BODY_BODY_FORM_H

#include <lua.h>

/* core.form, core.form_nested and core.nest: see body_form.c. */
int body_form(lua_State *L);
int body_form_nested(lua_State *L);
int body_form_nest(lua_State *L);

#endif
