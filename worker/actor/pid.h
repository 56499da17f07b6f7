#ifndef FSD_WORKER_ACTOR_PID_H
#define FSD_WORKER_ACTOR_PID_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* Who an actor is, everywhere and for ever: neither incarnations nor the serials within one are used twice. */
struct pid {
    uint64_t incarnation; /* of its worker */
    uint64_t serial;
    uint32_t node; /* 0: this machine */
    /* in its worker's table; 0 is the worker itself, which sends signals and gets none */
    uint32_t index;
};

/* Room for the text of any pid with its NUL: four numbers, three dots, two brackets. */
enum { PID_TEXT_MAX = 72 };

/* Makes the metatable "fsd.Pid" and the tables of known pids; once a lua_State. */
void pid_init(lua_State *L);
/* Pushes the userdata of a pid: the same one each time while anybody holds it, so that == and table keys work. */
void pid_push(lua_State *L, const struct pid *pid);
/* The same, faster, for an actor of this worker that has its place still: no later one can have taken it. */
void pid_push_present(lua_State *L, const struct pid *pid);
/* The pid at index; NULL when that is something else. */
const struct pid *pid_test(lua_State *L, int index);
bool pid_equal(const struct pid *a, const struct pid *b);
/* Writes "<node.incarnation.index.serial>". */
void pid_format(const struct pid *pid, char text[PID_TEXT_MAX]);

#endif
