#ifndef FSD_WORKER_TOOLBOX_ENVIRONMENT_H
#define FSD_WORKER_TOOLBOX_ENVIRONMENT_H

#include <lua.h>
#include <stdbool.h>

/* Pushes the arguments 1, 2 ... of the table at index as what execve wants; raises when one has a NUL, or is no string or number. */
char **environment_push_arguments(lua_State *L, int index, const char *function);
/* Pushes the environment of a program: the worker's without what is the master's, and with the names of the table at index (nil: none;
 * false takes one out).  Raises as above. */
char **environment_push(lua_State *L, int index, bool is_inherited, const char *function);
/* The value of a name; NULL. */
const char *environment_find(char *const *environment, const char *name);

#endif
