#ifndef FSD_WORKER_HTTP_BODY_BODY_FORM_H
#define FSD_WORKER_HTTP_BODY_BODY_FORM_H

#include <lua.h>

/* core.form(req, parameter_limit, is_latin1): see mod_body_core.c. */
int body_form(lua_State *L);

#endif
