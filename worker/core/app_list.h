#ifndef FSD_WORKER_CORE_APP_LIST_H
#define FSD_WORKER_CORE_APP_LIST_H

#include <lua.h>

/* The key of what app:on_check was given: functions, in their order. */
#define APP_LIST_CHECKS "fsd.checks"
/* The key of what app:on("mount") was given. */
#define APP_LIST_MOUNT "fsd.on.mount"

/* Lists of what an application has declared while it was loaded, one for each application and key of the registry.  A key is a
 * name such as "fsd.children".  The application is the value at this index; a list is gone when its application is. */

/* Pushes the list; a new one when the application has none.  May raise when memory is out. */
void app_list_get(lua_State *L, const char *key, int app);
/* Pushes the list, or nil when the application has none. */
void app_list_find(lua_State *L, const char *key, int app);

#endif
