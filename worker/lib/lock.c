/* lock.c - a mutex and a semaphore: how many tasks may be somewhere at a time.
 *   mutex:lock([limit]) -> guard   mutex:try_lock() -> guard or nil   mutex:unlock()
 *   semaphore:acquire([limit]) -> guard   semaphore:try_acquire() -> guard or nil   semaphore:release()
 *   mutex:with(fn, ...) -> results        semaphore:with(fn, ...) -> results
 * Owns the count of free places.  A mutex is one place whose holder is known: only that task may unlock it.  Who gives a place back
 * gives it to the first that waits, so nobody overtakes; if that one is cancelled before it goes on, the next gets it.  A guard
 * is for `local guard <close> = mutex:lock()`: closing it gives the place back, also when the task is cancelled or
 * closed by force; it remembers which locking it belongs to, so after unlock() it does nothing.  `with` holds such a guard in C, where
 * no task is preempted between having the lock and having the guard.  A mutex whose holder ends all the same is unlocked then; a
 * place of a semaphore belongs to nobody, because another task may release it.
 * Called through mod_task.c's functions.  Must not know what is guarded. */
#include "worker/lib/lock.h"

#include <lauxlib.h>
#include <stdint.h>

#include "worker/core/runtime.h"
#include "worker/lib/waiter.h"

#define MUTEX_METATABLE     "fsd.Mutex"
#define SEMAPHORE_METATABLE "fsd.Semaphore"
#define GUARD_METATABLE     "fsd.Guard"

struct lock {
    lua_Integer places;
    lua_Integer free; /* 0 while somebody waits */
    bool is_mutex;
    struct task_hold hold; /* of a mutex: whose it is */
    uint64_t locking;      /* of a mutex: which one this is */
    struct waiter_queue waiters;
};

/* A userdata whose user value is the lock. */
struct guard {
    struct lock *lock; /* borrowed from the user value; NULL: closed */
    uint64_t locking;
};

static int push_guard(lua_State *L, struct lock *lock)
{
    struct guard *guard = lua_newuserdatauv(L, sizeof(*guard), 1);
    *guard = (struct guard){lock, lock->locking};
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, GUARD_METATABLE);
    return 1;
}

static void take(struct lock *lock, struct task *task)
{
    if (lock->is_mutex) {
        task_hold_add(task, &lock->hold);
    }
    lock->locking++;
}

static void give_back(struct lock *lock)
{
    const struct waiter *next = waiter_wake(&lock->waiters);
    task_hold_remove(&lock->hold);
    lock->locking++; /* the guard of the one that held it is of no use any more */
    if (next != NULL) {
        take(lock, next->task);
    } else {
        lock->free++;
    }
}

static void on_holder_end(struct task_hold *hold)
{
    give_back(H2O_STRUCT_FROM_MEMBER(struct lock, hold, hold));
}

static int after_with(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 2;
}

/* The lock is ours, and stands below a function and its arguments: calls it under a guard. */
static int run_with(lua_State *L)
{
    int count = lua_gettop(L) - 2;
    (void)push_guard(L, lua_touserdata(L, 1));
    lua_insert(L, 2);
    lua_toclose(L, 2);
    lua_callk(L, count, LUA_MULTRET, 0, after_with);
    return after_with(L, LUA_OK, 0);
}

static int on_lock_resume(struct waiter *waiter, lua_State *L)
{
    if (waiter->is_with) {
        lua_pop(L, 1); /* the waiter */
        return run_with(L);
    }
    return push_guard(L, lua_touserdata(L, 1));
}

static void on_lock_lost(struct waiter *waiter, lua_State *L, bool was_woken)
{
    (void)waiter;
    if (was_woken) {
        give_back(lua_touserdata(L, -1));
    }
}

static const struct waiter_kind mutex_kind = {on_lock_resume, on_lock_lost, "mutex:lock"};
static const struct waiter_kind semaphore_kind = {on_lock_resume, on_lock_lost,
                                                  "semaphore:acquire"};

static struct lock *new_lock(lua_State *L, lua_Integer places, const char *metatable)
{
    struct lock *lock = lua_newuserdatauv(L, sizeof(*lock), 0);
    *lock = (struct lock){.places = places, .free = places, .hold = {.on_task_end = on_holder_end}};
    luaL_setmetatable(L, metatable);
    return lock;
}

int lock_new_mutex(lua_State *L)
{
    struct lock *lock = new_lock(L, 1, MUTEX_METATABLE);
    lock->is_mutex = true;
    lock->waiters.kind = &mutex_kind;
    return 1;
}

int lock_new_semaphore(lua_State *L)
{
    lua_Integer places = luaL_checkinteger(L, 1);
    luaL_argcheck(L, places >= 1, 1, "must be at least 1");
    new_lock(L, places, SEMAPHORE_METATABLE)->waiters.kind = &semaphore_kind;
    return 1;
}

/* The task that calls; only a task may hold a mutex. */
static struct task *check_task(lua_State *L)
{
    struct task *task = runtime_of(L)->tasks.running;
    if (task == NULL) {
        luaL_error(L, "cannot lock a mutex here: only requests and tasks can");
    }
    return task;
}

/* Takes a place if one is free. */
static bool lock_now(struct lock *lock, struct task *task)
{
    if (lock->free == 0) {
        return false;
    }
    lock->free--;
    take(lock, task);
    return true;
}

/* A guard, or nil. */
static int try_now(lua_State *L, struct lock *lock, struct task *task)
{
    lua_settop(L, 1);
    if (!lock_now(lock, task)) {
        lua_pushnil(L);
        return 1;
    }
    return push_guard(L, lock);
}

static int lock_or_wait(lua_State *L, struct lock *lock, struct task *task)
{
    lua_Number limit_s = waiter_check_limit(L, 2);
    lua_settop(L, 1);
    if (lock_now(lock, task)) {
        return push_guard(L, lock);
    }
    return waiter_wait(L, waiter_push(L, &lock->waiters), limit_s);
}

static int call_with(lua_State *L, struct lock *lock, struct task *task)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (lock_now(lock, task)) {
        return run_with(L);
    }
    struct waiter *waiter = waiter_push(L, &lock->waiters);
    waiter->is_with = true;
    return waiter_wait(L, waiter, -1);
}

/* The mutex at index 1, which the calling task has not locked. */
static struct lock *check_mutex(lua_State *L, const struct task *task)
{
    struct lock *lock = luaL_checkudata(L, 1, MUTEX_METATABLE);
    if (lock->hold.task == task) {
        luaL_error(L, "cannot lock the mutex: this task has locked it already");
    }
    return lock;
}

static int mutex_lock(lua_State *L)
{
    struct task *task = check_task(L);
    return lock_or_wait(L, check_mutex(L, task), task);
}

static int mutex_with(lua_State *L)
{
    struct task *task = check_task(L);
    return call_with(L, check_mutex(L, task), task);
}

/* One that is locked may be collected: nobody can ever unlock it, nor waits for it. */
static int mutex_gc(lua_State *L)
{
    struct lock *lock = luaL_checkudata(L, 1, MUTEX_METATABLE);
    task_hold_remove(&lock->hold);
    return 0;
}

static int mutex_try_lock(lua_State *L)
{
    return try_now(L, luaL_checkudata(L, 1, MUTEX_METATABLE), check_task(L));
}

static int mutex_unlock(lua_State *L)
{
    struct lock *lock = luaL_checkudata(L, 1, MUTEX_METATABLE);
    if (lock->hold.task != check_task(L)) {
        return luaL_error(L, "cannot unlock the mutex: %s",
                          lock->hold.task == NULL ? "it is not locked"
                                                  : "another task has locked it");
    }
    give_back(lock);
    return 0;
}

static int semaphore_acquire(lua_State *L)
{
    return lock_or_wait(L, luaL_checkudata(L, 1, SEMAPHORE_METATABLE), NULL);
}

static int semaphore_with(lua_State *L)
{
    return call_with(L, luaL_checkudata(L, 1, SEMAPHORE_METATABLE), NULL);
}

static int semaphore_try_acquire(lua_State *L)
{
    return try_now(L, luaL_checkudata(L, 1, SEMAPHORE_METATABLE), NULL);
}

static int semaphore_release(lua_State *L)
{
    struct lock *lock = luaL_checkudata(L, 1, SEMAPHORE_METATABLE);
    if (lock->free == lock->places) {
        return luaL_error(L, "cannot release the semaphore: nobody has acquired it");
    }
    give_back(lock);
    return 0;
}

static int guard_close(lua_State *L)
{
    struct guard *guard = luaL_checkudata(L, 1, GUARD_METATABLE);
    struct lock *lock = guard->lock;
    guard->lock = NULL;
    bool holds = lock != NULL && lock->free < lock->places &&
                 (!lock->is_mutex || lock->locking == guard->locking);
    if (holds) {
        give_back(lock);
    }
    return 0;
}

static const luaL_Reg mutex_methods[] = {{"lock", mutex_lock},
                                         {"try_lock", mutex_try_lock},
                                         {"unlock", mutex_unlock},
                                         {"with", mutex_with},
                                         {NULL, NULL}};

static const luaL_Reg semaphore_methods[] = {{"acquire", semaphore_acquire},
                                             {"try_acquire", semaphore_try_acquire},
                                             {"release", semaphore_release},
                                             {"with", semaphore_with},
                                             {NULL, NULL}};

static void add_class(lua_State *L, const char *metatable, const luaL_Reg *methods)
{
    luaL_newmetatable(L, metatable);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, metatable);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void lock_register(lua_State *L)
{
    add_class(L, MUTEX_METATABLE, mutex_methods);
    luaL_getmetatable(L, MUTEX_METATABLE);
    lua_pushcfunction(L, mutex_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    add_class(L, SEMAPHORE_METATABLE, semaphore_methods);
    luaL_newmetatable(L, GUARD_METATABLE);
    lua_pushcfunction(L, guard_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}
