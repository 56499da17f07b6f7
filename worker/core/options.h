#ifndef FSD_WORKER_CORE_OPTIONS_H
#define FSD_WORKER_CORE_OPTIONS_H

#include <lua.h>
#include <stddef.h>

/* Pushes what is wrong with the table at index, of which only these keys are known: `fsd.static: unknown option "maxage"; did you
 * mean "max_age"?`, and returns it; NULL, and nothing pushed, when all of them are known.  Runs no metamethod. */
const char *options_push_fault(lua_State *L, int index, const char *what, const char *const *names,
                               size_t count);
/* Raises that, as the mistake of whoever called the C function that runs. */
void options_check(lua_State *L, int index, const char *what, const char *const *names,
                   size_t count);

#endif
