#ifndef FSD_WORKER_HTTP_APP_APP_SETTINGS_H
#define FSD_WORKER_HTTP_APP_APP_SETTINGS_H

#include <lauxlib.h>

/* Methods of the class fsd.App: set, setting, enable, disable, enabled, disabled. */
extern const luaL_Reg app_settings_methods[];

#endif
