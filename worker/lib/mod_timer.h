#ifndef FSD_WORKER_LIB_MOD_TIMER_H
#define FSD_WORKER_LIB_MOD_TIMER_H

#include <lua.h>
#include <stdint.h>

struct alarm_plan;

/* For declared.c: what timer.every and timer.cron check of their first argument, here at index. */
uint64_t mod_timer_check_every(lua_State *L, int index);
void mod_timer_check_cron(lua_State *L, int index, struct alarm_plan *plan);
/* require "fsd.timer.core", for lua/fsd/timer.lua; what that offers is defined in lua/meta/timer.lua. */
int luaopen_fsd_timer_core(lua_State *L);

#endif
