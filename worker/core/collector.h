#ifndef FSD_WORKER_CORE_COLLECTOR_H
#define FSD_WORKER_CORE_COLLECTOR_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Lua's collector goes on with each allocation, and does as much as was allocated: a megabyte at once is a pause of ten milliseconds.
 * C functions that allocate so much take credit before, and settle afterwards, in steps between which others run. */

/* So that up to max_kb can be allocated without a step.  Returns what collector_end_credit takes; an error that is raised in between
 * only leaves a bit more credit. */
int collector_begin_credit(lua_State *L, int max_kb);
/* Takes the credit back.  Returns how many kilobytes were allocated meanwhile: what is owed. */
size_t collector_end_credit(lua_State *L, int max_kb, int before_kb);
/* Pushes a string of any length, on credit when it is long.  Returns what is owed. */
size_t collector_push_text(lua_State *L, const char *bytes, size_t len);
/* lua_concat of strings, on credit when they are long.  Returns what is owed. */
size_t collector_concat(lua_State *L, int count);
/* Pays some of what is owed, in a third of a millisecond; whether there is more.  For who ends with an error. */
bool collector_pay(lua_State *L, size_t *owed_kb);
/* The end of a C function that Lua has called, `return collector_settle(L, owed_kb, count)`, with its count results (up to 7) on the
 * top: pays, and lets others run meanwhile. */
int collector_settle(lua_State *L, size_t owed_kb, int count);

#endif
