#ifndef FSD_WORKER_CORE_VALUE_PATH_H
#define FSD_WORKER_CORE_VALUE_PATH_H

#include <lua.h>
#include <stddef.h>

/* Where an encoder stands inside a value, kept on its C stack and only made into words when it must
 * complain: one place per table that is open, the innermost first. */
struct value_place {
    const struct value_place *outer; /* borrowed; NULL: the outermost table */
    int key_slot;                    /* stack slot of the key, or 0: number is the key */
    lua_Integer number;
};

enum { VALUE_PATH_MAX = 256 };

/* Writes ` at "items[3].cb"` into text, or "" when place is NULL; a long path is cut in front
 * (` at "...[3].cb"`).  Never raises and leaves the stack as it is. */
void value_path_format(lua_State *L, const struct value_place *place, char text[VALUE_PATH_MAX]);

#endif
