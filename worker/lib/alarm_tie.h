#ifndef FSD_WORKER_LIB_ALARM_TIE_H
#define FSD_WORKER_LIB_ALARM_TIE_H

#include <lua.h>

struct alarm;

/* Ties an alarm that is set to the value at index, which is any that can be a key. */
void alarm_tie_add(lua_State *L, struct alarm *alarm, int index);
/* For alarm.c: it is not set any more.  Raises nothing. */
void alarm_tie_remove(lua_State *L, struct alarm *alarm);
/* Calls off all that are tied to the value at index. */
void alarm_tie_cancel(lua_State *L, int index);

#endif
