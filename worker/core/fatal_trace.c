/* fatal_trace.c - where a dying worker is, in C and in Lua, written into its black box.
 * Owns nothing.  Everything here runs in a signal handler, so texts are put together by hand: snprintf may allocate.  Each piece is
 * written first and its length after it, so that what a second fault cuts off leaves a shorter text, not a wrong one.
 * backtrace() has been called once before (it loads a library the first time); dladdr knows exported names only, so a frame of
 * ours is "fsd-worker(+0x1234)", which addr2line takes.
 * Called by fatal.c.  Must not know why the worker dies. */
#include "worker/core/fatal_trace.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "common/blackbox.h"

enum { HANDLER_FRAMES = 8, LEVELS_MAX = 40, THREADS_MAX = 8 };

static void set(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_release);
}

/* A text of limited length; what does not fit is cut. */
struct text {
    char *bytes;
    size_t len;
    size_t limit;
};

static void add(struct text *text, const char *bytes)
{
    while (*bytes != '\0' && text->len < text->limit) {
        text->bytes[text->len++] = *bytes++;
    }
}

static void add_number(struct text *text, uint64_t number, unsigned base)
{
    char digits[24];
    char *at = digits + sizeof(digits) - 1;
    *at = '\0';
    do {
        *--at = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    add(text, at);
}

void fatal_trace_prepare(void)
{
    void *frames[1];
    (void)backtrace(frames, 1);
}

void fatal_trace_frames(struct blackbox_death_entry *death, uint64_t place)
{
    void *frames[BLACKBOX_FRAMES + HANDLER_FRAMES];
    int count = backtrace(frames, BLACKBOX_FRAMES + HANDLER_FRAMES);
    int first = 0; /* ours come first: the handler, and what calls a handler */
    while (first < count && (uint64_t)(uintptr_t)frames[first] != place) {
        first++;
    }
    uint64_t kept = 0;
    if (first == count) { /* the unwinder did not come across it, as after a jump to nowhere */
        death->frames[kept++] = place;
        first = 0;
    }
    for (; first < count && kept < BLACKBOX_FRAMES; first++) {
        death->frames[kept++] = (uint64_t)(uintptr_t)frames[first];
    }
    set(&death->frame_count, kept);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* module(symbol+0x12), module(+0x1234).  An outer frame's address is behind its call, which may be behind its function. */
static void name_frame(struct text *text, uint64_t address, bool is_outer)
{
    Dl_info info;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): a number is what was kept */
    if (dladdr((void *)(uintptr_t)(address - (is_outer ? 1 : 0)), &info) == 0 ||
        info.dli_fname == NULL) {
        return;
    }
    const void *base = info.dli_sname != NULL ? info.dli_saddr : info.dli_fbase;
    add(text, base_name(info.dli_fname));
    add(text, "(");
    add(text, info.dli_sname != NULL ? info.dli_sname : "");
    add(text, "+0x");
    add_number(text, address - (uint64_t)(uintptr_t)base, 16);
    add(text, ")");
}

void fatal_trace_names(struct blackbox_death_entry *death)
{
    for (uint64_t i = 0; i < death->frame_count; i++) {
        struct text text = {death->names[i], 0, BLACKBOX_FRAME_MAX};
        name_frame(&text, death->frames[i], i > 0);
        set(&death->named_count, i + 1);
    }
}

/* The coroutine that the function on top of L's stack is about: the first argument of coroutine.resume, the upvalue of what
 * coroutine.wrap gave.  NULL when it is no such function. */
static lua_State *find_resumed(lua_State *L)
{
    lua_Debug level;
    int top = lua_gettop(L);
    lua_State *resumed = NULL;
    if (lua_getstack(L, 0, &level) == 0 || lua_getinfo(L, "S", &level) == 0 ||
        level.what[0] != 'C' || lua_getinfo(L, "f", &level) == 0) {
        return NULL;
    }
    if (lua_getupvalue(L, -1, 1) != NULL) {
        resumed = lua_tothread(L, -1);
    }
    if (resumed == NULL && lua_getlocal(L, &level, 1) != NULL) {
        resumed = lua_tothread(L, -1);
    }
    lua_settop(L, top);
    bool runs =
        resumed != NULL && lua_status(resumed) == LUA_OK && lua_getstack(resumed, 0, &level) == 1;
    return runs ? resumed : NULL;
}

static void add_level(struct text *text, const lua_Debug *level)
{
    add(text, level->short_src);
    if (level->currentline > 0) {
        add(text, ":");
        add_number(text, (uint64_t)level->currentline, 10);
    }
    if (level->what[0] == 'm') {
        add(text, ": in main chunk\n");
    } else if (level->name != NULL) {
        add(text, ": in function '");
        add(text, level->name);
        add(text, "'\n");
    } else {
        add(text, ": in function <");
        add(text, level->short_src);
        add(text, ":");
        add_number(text, (uint64_t)level->linedefined, 10);
        add(text, ">\n");
    }
}

/* Nameless C functions are the dispatcher's own. */
static void add_levels(struct blackbox_death_entry *death, struct text *text, lua_State *L)
{
    lua_Debug level;
    for (int i = 0; i < LEVELS_MAX && lua_getstack(L, i, &level) == 1; i++) {
        if (lua_getinfo(L, "nSl", &level) == 0) {
            return;
        }
        if (level.what[0] != 'C' || level.name != NULL) {
            add_level(text, &level);
            set(&death->lua_len, text->len);
        }
    }
}

lua_State *fatal_trace_innermost(lua_State *L)
{
    lua_State *next = L;
    for (int i = 0; i < THREADS_MAX && next != NULL; i++) {
        L = next;
        next = find_resumed(L);
    }
    return L;
}

void fatal_trace_lua(struct blackbox_death_entry *death, lua_State *L)
{
    struct text text = {death->lua_stack, 0, BLACKBOX_LUA_MAX};
    lua_State *threads[THREADS_MAX];
    int count = 0;
    set(&death->lua_len, 0);
    for (lua_State *next = L; next != NULL && count < THREADS_MAX; next = find_resumed(next)) {
        threads[count++] = next;
    }
    while (count > 0) {
        add_levels(death, &text, threads[--count]);
    }
}
