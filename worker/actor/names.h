#ifndef FSD_WORKER_ACTOR_NAMES_H
#define FSD_WORKER_ACTOR_NAMES_H

#include <lua.h>
#include <stdbool.h>

struct actor;
struct pid;

enum { NAMES_LEN_MAX = 255 };

/* Makes the table of names; once a lua_State. */
void names_init(lua_State *L);
/* Raises unless the value at index can be a name. */
void names_check(lua_State *L, int index);
/* Raises an ActorError, "exists", when another living actor has the name at index. */
void names_check_free(lua_State *L, int index);
/* The living actor with the name at index, which is a string; or NULL. */
struct actor *names_find(lua_State *L, int index);
/* Gives the actor the name at index, which is free; it has none yet. */
void names_add(lua_State *L, int index, struct actor *actor);
/* The pid of the actor with the name at index, which is a string: of this worker or, when none here has it, of any.  False: nobody. */
bool names_find_pid(lua_State *L, int index, struct pid *ret_pid);
/* Takes its name away, if it has one. */
void names_remove(lua_State *L, struct actor *actor);
/* The actor has ended for everybody else: nobody finds it by a name. */
void names_leave(lua_State *L, struct actor *actor);
/* What a person may call it: its name, else the one that it has for all workers; NULL: it has none. */
const char *names_get(const struct actor *actor);
/* Pushes a table of all names: name -> pid. */
void names_push_all(lua_State *L);

#endif
