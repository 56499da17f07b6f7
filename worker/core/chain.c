/* chain.c - which coroutines of the application's own a task is inside of.
 * Owns the list, which is made when there is one for the first time.  A task that waits or is preempted inside of such a coroutine
 * suspends all of the chain, one by one outwards; going on, each resumes the next one inwards again, and meanwhile depth is smaller
 * than count.  Lua closes a coroutine without those that it has resumed, so whoever closes a task asks for the chain first.
 * Called by coroutine.c (enter, leave) and task.c.  Must not know why a task is suspended. */
#include "worker/core/chain.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "worker/core/runtime.h"
#include "worker/core/slice.h"

enum { CAPACITY_FIRST = 4 };

struct chain_threads {
    size_t count;
    size_t capacity;
    /* how many of them run now; fewer than count while a task that was suspended is on its way inwards */
    size_t depth;
    lua_State *list[]; /* each is borrowed from the stack of the one before */
};

void chain_fini(struct chain *chain)
{
    free(chain->threads);
    chain->threads = NULL;
}

static bool is_full(const struct chain_threads *threads)
{
    return threads == NULL || threads->count == threads->capacity;
}

static struct chain_threads *grow(struct chain *chain)
{
    size_t count = chain->threads == NULL ? 0 : chain->threads->count;
    size_t capacity = count == 0 ? CAPACITY_FIRST : count * 2;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is stored */
    size_t bytes = sizeof(*chain->threads) + capacity * sizeof(chain->threads->list[0]);
    struct chain_threads *threads = realloc(chain->threads, bytes);
    if (threads == NULL) {
        abort();
    }
    if (count == 0) {
        *threads = (struct chain_threads){0};
    }
    threads->capacity = capacity;
    chain->threads = threads;
    return threads;
}

void chain_enter(struct chain *chain, lua_State *L)
{
    struct chain_threads *threads = chain->threads;
    if (threads != NULL && threads->depth < threads->count) { /* on the way inwards */
        assert(threads->list[threads->depth] == L);
        runtime_unmark(L, RUNTIME_THREAD_HELD);
    } else {
        if (is_full(threads)) {
            threads = grow(chain);
        }
        threads->list[threads->count++] = L;
    }
    threads->depth++;
}

void chain_leave(struct chain *chain)
{
    struct chain_threads *threads = chain->threads;
    threads->depth--;
    assert(threads->depth + 1 == threads->count);
    threads->count = threads->depth;
}

void chain_hold(struct chain *chain)
{
    struct chain_threads *threads = chain->threads;
    if (threads == NULL) {
        return;
    }
    threads->depth = 0;
    for (size_t i = 0; i < threads->count; i++) {
        runtime_mark(threads->list[i], RUNTIME_THREAD_HELD);
    }
}

void chain_close(struct chain *chain, struct slice *slice)
{
    struct chain_threads *threads = chain->threads;
    if (threads == NULL) {
        return;
    }
    while (threads->count > 0) {
        lua_State *L = threads->list[--threads->count];
        runtime_unmark(L, RUNTIME_THREAD_HELD);
        lua_State *before = slice_switch(slice, L);
        (void)lua_resetthread(L); /* an error of a <close> variable has nobody to go to */
        lua_settop(L, 0);
        (void)slice_switch(slice, before);
    }
    threads->depth = 0;
}
