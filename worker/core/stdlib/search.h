#ifndef FSD_WORKER_CORE_STDLIB_SEARCH_H
#define FSD_WORKER_CORE_STDLIB_SEARCH_H

#include <lua.h>

#include "worker/core/stdlib/match.h"

/* The functions of Lua's library of the same names, with Lua's results and messages. */
int search_find(lua_State *L);
int search_match(lua_State *L);
int search_gmatch(lua_State *L);

/* What one call may spend on a subject of that length. */
int64_t search_steps(size_t subject_len);
/* The string (or number) at index, as the matcher wants it; raises for another value.  It is valid as long as it stands there. */
struct match_text search_check_text(lua_State *L, int index);
/* Raises what stopped a match: Lua's message for a malformed pattern, a PatternError for one that ran out of steps. */
_Noreturn void search_raise(lua_State *L, const struct match *match, enum match_result result);
/* Pushes capture index (from 0) of a match; the first one of a pattern without any is the whole match. */
void search_push_capture(lua_State *L, const struct match *match, int index);
/* Pushes all captures, or the whole match if there are none; returns how many values. */
int search_push_captures(lua_State *L, const struct match *match);

#endif
