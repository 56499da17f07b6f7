#ifndef FSD_WORKER_CORE_VALUE_H
#define FSD_WORKER_CORE_VALUE_H

#include <lua.h>
#include <stdbool.h>

struct fsd_err;
struct msgpack_reader;
struct msgpack_writer;

/* Values between the Lua stack and MessagePack: nil, boolean, integer, float, string, and tables of
 * those.  What JSON calls null is json.null, the light userdata NULL.
 *
 * Arrays and maps.  A table that carries the array mark (a metatable, json.array_mt) is an array of
 * its elements 1..#t; holes are written as nil, other keys are not looked at.  Without the mark, a
 * table whose keys are exactly 1..n (n > 0) is an array, any other is a map; `{}` is a map. */

enum { VALUE_DEPTH_MAX = 64 };

/* Pushes the metatable that marks arrays, made on first use (then it may raise out of memory). */
void value_push_array_mark(lua_State *L);
/* The address of the mark for comparing with lua_topointer, NULL before its first use. */
const void *value_array_mark(lua_State *L);
/* Whether the value at index is a table that carries the array mark.  Never raises. */
bool value_is_array(lua_State *L, int index);

/* Pops a table and sets its pairs in the one below it, without metamethods.  Raises only out of memory. */
void value_move_pairs(lua_State *L);

/* Reads one value and pushes it.  Arrays come marked; nil becomes json.null in an array (no holes)
 * and an absent key in a map.  -EPROTO: malformed, a key that is neither string nor integer, or
 * deeper than VALUE_DEPTH_MAX; stack and reader are as before then.  Raises when memory is out: call
 * it only where raising is allowed. */
int value_push(lua_State *L, struct msgpack_reader *reader);

/* Writes the value at index; a failure of the writer is remembered there as always.  Never raises and
 * calls no metamethod.  -EINVAL with what and where (`cannot send a function at "items[3].cb"`): a
 * function, userdata or thread, a key that is neither string nor integer, or deeper than
 * VALUE_DEPTH_MAX, which is also how a cycle ends.  The writer then holds part of a value. */
int value_write(lua_State *L, int index, struct msgpack_writer *writer, struct fsd_err *err);

#endif
