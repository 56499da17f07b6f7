#ifndef FSD_WORKER_TOOLBOX_OPTION_H
#define FSD_WORKER_TOOLBOX_OPTION_H

#include <lua.h>
#include <stdbool.h>

/* Tables of options, as the last argument of a function.  All raise a programmer's mistake by luaL_error, which names the function. */

/* nil, or a table whose keys are among the names (NULL at the end); else raises, with the name that was meant. */
void option_check(lua_State *L, int index, const char *function, const char *const *names);
/* The value of an option; otherwise when the table or the option is absent. */
bool option_boolean(lua_State *L, int index, const char *name, bool otherwise);
lua_Integer option_integer(lua_State *L, int index, const char *name, lua_Integer least,
                           lua_Integer most, lua_Integer otherwise);
/* Seconds, a number that is not negative; otherwise when it is absent. */
lua_Number option_seconds(lua_State *L, int index, const char *name, lua_Number otherwise);
/* Pushes the string, or nil, and returns it; NULL when it is absent. */
const char *option_push_string(lua_State *L, int index, const char *name, size_t *ret_len);

#endif
