/* fs_watch.c - tells tasks of changes to a file or a folder.
 * Owns, for each watcher, an inotify descriptor that the loop watches while a task waits for the next event.  Events stay with the kernel
 * until then, which keeps 16384 and says when it has dropped some.  One task waits at a time.  Called by Lua. */
#include "worker/toolbox/fs_watch.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/fd.h"
#include "worker/core/runtime.h"
#include "worker/core/watch.h"
#include "worker/toolbox/fs_error.h"

#define WATCHER_METATABLE "fsd.fs.Watcher"

enum {
    EVENTS = IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM |
             IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
    BUF_BYTES = 4096,
};

struct watcher {
    struct task_wait wait;
    struct runtime *runtime; /* borrowed */
    struct task *task;       /* borrowed; NULL: nobody waits */
    int fd;                  /* owned; -1: closed */
    struct watch watch;
    size_t at; /* of the next event in the buffer */
    size_t len;
    _Alignas(struct inotify_event) char buf[BUF_BYTES];
};

static const struct kind {
    uint32_t mask;
    const char *name;
} kinds[] = {
    {IN_Q_OVERFLOW, "overflow"}, {IN_CREATE, "created"},     {IN_MOVED_TO, "created"},
    {IN_DELETE, "removed"},      {IN_MOVED_FROM, "removed"}, {IN_DELETE_SELF, "gone"},
    {IN_MOVE_SELF, "gone"},      {IN_IGNORED, "gone"},       {IN_CLOSE_WRITE, "written"},
    {IN_MODIFY, "modified"},     {IN_ATTRIB, "attributes"},
};

static void close_watcher(struct watcher *watcher)
{
    watch_remove(&watcher->runtime->loop, &watcher->watch);
    fd_close(&watcher->fd);
}

static void wake(struct watcher *watcher)
{
    struct task *task = watcher->task;
    watch_remove(&watcher->runtime->loop, &watcher->watch);
    watcher->task = NULL;
    if (task != NULL) {
        task_wake(task);
    }
}

static void on_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    wake(H2O_STRUCT_FROM_MEMBER(struct watcher, watch, watch));
}

/* The event that is next, as a table; false: there is none yet. */
static bool push_next(lua_State *L, struct watcher *watcher)
{
    if (watcher->at >= watcher->len) {
        ssize_t len = read(watcher->fd, watcher->buf, sizeof(watcher->buf));
        watcher->at = 0;
        watcher->len = len > 0 ? (size_t)len : 0;
    }
    if (watcher->len == 0) {
        return false;
    }
    const struct inotify_event *event =
        (const struct inotify_event *)(const void *)(watcher->buf + watcher->at);
    watcher->at += sizeof(*event) + event->len;
    const char *kind = "attributes";
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if ((event->mask & kinds[i].mask) != 0) {
            kind = kinds[i].name;
            break;
        }
    }
    lua_createtable(L, 0, 3);
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    if (event->len > 0) {
        lua_pushstring(L, event->name);
        lua_setfield(L, -2, "name");
    }
    lua_pushboolean(L, (event->mask & IN_ISDIR) != 0);
    lua_setfield(L, -2, "is_directory");
    return true;
}

static void on_cancel(struct task_wait *wait)
{
    struct watcher *watcher = H2O_STRUCT_FROM_MEMBER(struct watcher, wait, wait);
    watcher->task = NULL;
    watch_remove(&watcher->runtime->loop, &watcher->watch);
}

static int take_next(lua_State *L, struct watcher *watcher);

static int on_resume(struct task_wait *wait, lua_State *L)
{
    return take_next(L, H2O_STRUCT_FROM_MEMBER(struct watcher, wait, wait));
}

static int take_next(lua_State *L, struct watcher *watcher)
{
    if (watcher->fd < 0) {
        lua_pushnil(L);
        return 1;
    }
    if (push_next(L, watcher)) {
        return 1;
    }
    struct task *task = task_check(L);
    if (watcher->task != NULL) {
        return luaL_error(L, "another task waits for this watcher already");
    }
    int error = watch_add(&watcher->runtime->loop, &watcher->watch, watcher->fd, EPOLLIN, on_ready);
    if (error != 0) {
        fs_error_raise(L, error, "watch", "the watcher");
    }
    watcher->task = task;
    task_mark_idle(task);
    return task_wait(L, &watcher->wait);
}

/* watcher:next() -> event, or nil when it was closed */
static int watcher_next(lua_State *L)
{
    struct watcher *watcher = luaL_checkudata(L, 1, WATCHER_METATABLE);
    lua_settop(L, 1);
    return take_next(L, watcher);
}

/* watcher:close(); whoever waits gets nil */
static int watcher_close(lua_State *L)
{
    struct watcher *watcher = luaL_checkudata(L, 1, WATCHER_METATABLE);
    wake(watcher);
    close_watcher(watcher);
    return 0;
}

static int watcher_gc(lua_State *L)
{
    close_watcher(luaL_checkudata(L, 1, WATCHER_METATABLE));
    return 0;
}

int fs_watch_new(lua_State *L)
{
    const char *path = fs_check_path(L, 1);
    struct watcher *watcher = lua_newuserdatauv(L, sizeof(*watcher), 0);
    *watcher = (struct watcher){
        .wait = {on_cancel, on_resume}, .runtime = runtime_of(L), .fd = -1, .watch = {.fd = -1}};
    luaL_setmetatable(L, WATCHER_METATABLE);
    watcher->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watcher->fd < 0 || inotify_add_watch(watcher->fd, path, EVENTS) < 0) {
        int error = errno;
        fd_close(&watcher->fd);
        fs_error_raise(L, error, "watch", path);
    }
    return 1;
}

static const luaL_Reg methods[] = {{"next", watcher_next}, {"close", watcher_close}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__close", watcher_close}, {"__gc", watcher_gc}, {NULL, NULL}};

void fs_watch_register(lua_State *L)
{
    luaL_newmetatable(L, WATCHER_METATABLE);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, WATCHER_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
