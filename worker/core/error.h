#ifndef FSD_WORKER_CORE_ERROR_H
#define FSD_WORKER_CORE_ERROR_H

#include <lua.h>

/* The structured Error that the world's failures raise: a table with the metatable ERROR_METATABLE and the fields
 * name ("JsonError"), code ("json.decode"), status (the HTTP status that fits), message, and, where there is one,
 * traceback (string).  Programmer's mistakes raise strings by luaL_argerror instead. */
#define ERROR_METATABLE "fsd.Error"

/* Registers the metatable; once a lua_State. */
void error_init(lua_State *L);
/* Pushes an Error. */
void error_push(lua_State *L, const char *name, const char *code, int status, const char *message);
/* Raises an Error whose message is formatted as by lua_pushfstring (%s %d %I %f %p %c %U %%). */
_Noreturn void error_raise(lua_State *L, const char *name, const char *code, int status,
                           const char *format, ...);
/* Raises the Error on the top, with the traceback of the place that runs now. */
_Noreturn void error_raise_traced(lua_State *L);
/* Replaces the value on the top by an Error made from it: an Error stays as it is; a plain table with a message or a status
 * keeps its fields; anything else becomes the message, with code "error" and status 500, and stands in cause unless it is a
 * string.  May run a __tostring. */
void error_wrap(lua_State *L);
/* Pushes a field of the table at index as a string and returns it, valid as long as it stands on the stack; NULL (and nil)
 * when it is absent.  Runs no metamethod, whatever an application has put there: what is neither string nor number gives
 * "(a table)" and the like. */
const char *error_push_text(lua_State *L, int index, const char *field);
/* The HTTP status of the Error at index; 500 when what stands there is none from 400 to 599.  Runs no metamethod. */
int error_status(lua_State *L, int index);
/* Message handler for protected calls: error_wrap, and adds the traceback of the place that raised. */
int error_traceback(lua_State *L);
/* Whether the value at index is an Error. */
int error_is(lua_State *L, int index);

#endif
