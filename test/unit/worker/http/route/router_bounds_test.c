/* What a match takes: kept chains, memory of the request, maxima, hostile paths. */
#include "worker/http/route/router.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "worker/http/route/router_segment.h"

enum { TAKEN_MAX = 64 };

/* A request's pool: counts what was taken, frees all at the end; gives nothing after `limit`. */
struct test_pool {
    void *taken[TAKEN_MAX];
    size_t count;
    size_t limit;
};

static void *take_from_pool(void *ctx, size_t size)
{
    struct test_pool *pool = ctx;
    if (pool->count == pool->limit) {
        return NULL;
    }
    assert_true(pool->count < TAKEN_MAX);
    pool->taken[pool->count] = malloc(size);
    return pool->taken[pool->count++];
}

static void pool_fini(struct test_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        free(pool->taken[i]);
    }
    pool->count = 0;
}

static struct router *make_router(void)
{
    return router_new();
}

/* "use /a" mounts, "GET /a" and "any /a" are routes. */
static void add_rule(struct router *router, const char *text)
{
    char method[16];
    const char *space = strchr(text, ' ');
    (void)snprintf(method, sizeof(method), "%.*s", (int)(space - text), text);
    struct router_rule rule = {
        .kind = ROUTER_ROUTE, .method = method, .path = space + 1, .path_len = strlen(space + 1)};
    if (strcmp(method, "use") == 0) {
        rule.kind = ROUTER_PREFIX;
    }
    if (rule.kind == ROUTER_PREFIX || strcmp(method, "any") == 0) {
        rule.method = NULL;
    }
    struct fsd_err err;
    if (router_add(router, &rule, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static void literal_paths_are_answered_from_the_router(void **state)
{
    (void)state;
    struct test_pool pool = {.limit = 0};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router *router = make_router();
    struct router_chain first;
    struct router_chain second;
    for (int i = 0; i < 20; i++) {
        add_rule(router, "use /");
    }
    add_rule(router, "any /:x");
    add_rule(router, "GET /hello");
    router_freeze(router);
    assert_int_equal(router_match(router, "/hello", 6, &memory, &first), 0);
    assert_int_equal(router_match(router, "/HELLO/", 7, &memory, &second), 0);
    assert_int_equal(first.count, 22);
    assert_ptr_equal(first.steps, second.steps);
    assert_int_equal(first.steps[20].captures[0].start, 1);
    assert_int_equal(first.steps[20].captures[0].len, 5);
    router_free(router);
}

static void more_steps_than_the_chain_holds_come_from_memory(void **state)
{
    (void)state;
    struct test_pool pool = {.limit = TAKEN_MAX};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router *router = make_router();
    struct router_chain chain;
    for (int i = 0; i < 20; i++) {
        add_rule(router, "use /:a");
    }
    add_rule(router, "any /u/:id");
    router_freeze(router);
    assert_int_equal(router_match(router, "/u/7", 4, &memory, &chain), 0);
    assert_int_equal(chain.count, 21);
    assert_int_equal(pool.count, 3); /* 16 steps, 32 steps, captures */
    for (size_t i = 0; i < 21; i++) {
        assert_int_equal(chain.steps[i].captures[0].start, i == 20 ? 3 : 1);
    }
    pool_fini(&pool);
    for (size_t limit = 0; limit < 3; limit++) {
        pool.limit = limit;
        assert_int_equal(router_match(router, "/u/7", 4, &memory, &chain), -ENOMEM);
        pool_fini(&pool);
    }
    router_free(router);
}

static void eight_steps_take_no_memory(void **state)
{
    (void)state;
    struct test_pool pool = {.limit = 0};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router *router = make_router();
    struct router_chain chain;
    for (int i = 0; i < 7; i++) {
        add_rule(router, "use /");
    }
    add_rule(router, "any /users/:id/posts/:post");
    router_freeze(router);
    assert_int_equal(router_match(router, "/users/1/posts/2", 16, &memory, &chain), 0);
    assert_int_equal(chain.count, 8);
    router_free(router);
}

static void many_entries_come_in_order(void **state)
{
    (void)state;
    struct router *router = make_router();
    static const char *const rules[] = {"any /:a/:b", "use /", "any /x/:b", "use /x", "any /*r"};
    for (size_t i = 0; i < 100; i++) {
        add_rule(router, rules[i % 5]);
    }
    router_freeze(router);
    struct test_pool pool = {.limit = TAKEN_MAX};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router_chain chain;
    assert_int_equal(router_match(router, "/x/y", 4, &memory, &chain), 0);
    assert_int_equal(chain.count, 100);
    const struct router_entry *entry = router_entries(router);
    for (size_t i = 0; i < 100; i++, entry = entry->next) {
        assert_ptr_equal(chain.steps[i].entry, entry);
    }
    pool_fini(&pool);
    router_free(router);
}

static void thousands_of_routes_are_told_apart(void **state)
{
    (void)state;
    struct router *router = make_router();
    struct test_pool pool = {.limit = 0};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router_chain chain;
    char rule[64];
    char expected[64];
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(rule, sizeof(rule), "GET /r%d%s", i, i % 2 == 0 ? "" : "/:id");
        add_rule(router, rule);
    }
    router_freeze(router);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(rule, sizeof(rule), "/r%d%s", i, i % 2 == 0 ? "" : "/q");
        (void)snprintf(expected, sizeof(expected), "/r%d%s", i, i % 2 == 0 ? "" : "/:id");
        assert_int_equal(router_match(router, rule, strlen(rule), &memory, &chain), 0);
        assert_int_equal(chain.count, 1);
        assert_string_equal(chain.steps[0].entry->pattern.text, expected);
    }
    assert_int_equal(router_match(router, "/r3000", 6, &memory, &chain), 0);
    assert_int_equal(chain.count, 0);
    router_free(router);
}

static void literal_paths_beyond_the_table_are_found_in_the_tree(void **state)
{
    (void)state;
    struct router *router = make_router();
    char rule[64];
    for (int i = 0; i < 500; i++) {
        add_rule(router, "use /");
    }
    for (int i = 0; i < 600; i++) { /* 600 x 501 steps are more than are kept */
        (void)snprintf(rule, sizeof(rule), "GET /r%d", i);
        add_rule(router, rule);
    }
    router_freeze(router);
    struct test_pool pool = {.limit = TAKEN_MAX};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router_chain chain;
    assert_int_equal(router_match(router, "/r599", 5, &memory, &chain), 0);
    assert_int_equal(chain.count, 501);
    assert_string_equal(chain.steps[500].entry->pattern.text, "/r599");
    pool_fini(&pool);
    router_free(router);
}

static void paths_beyond_the_maximum_are_refused(void **state)
{
    (void)state;
    char path[ROUTER_PATH_MAX];
    struct router_chain chain;
    struct router_memory memory = {.alloc = take_from_pool, .ctx = NULL};
    struct router *router = make_router();
    add_rule(router, "any /:a.:b");
    router_freeze(router);
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[ROUTER_PATH_MAX - 3] = '.';
    assert_int_equal(router_match(router, path, sizeof(path), &memory, &chain), -ENAMETOOLONG);
    assert_int_equal(router_match(router, path, sizeof(path) - 1, &memory, &chain), 0);
    assert_int_equal(chain.count, 1);
    assert_int_equal(chain.steps[0].captures[0].len, ROUTER_PATH_MAX - 4);
    assert_int_equal(chain.steps[0].captures[1].len, 1);
    router_free(router);
}

/* If the walk went back, 2^15 and n^15 steps would not end before the test's patience. */
static void hostile_paths_take_no_exponential_time(void **state)
{
    (void)state;
    struct test_pool pool = {.limit = TAKEN_MAX};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router *router = make_router();
    struct router_chain chain;
    char path[ROUTER_PATH_MAX - 1];
    for (unsigned mask = 0; mask < 1024; mask++) { /* every mix of ten "a" and ":x" segments */
        char rule[128] = "any ";
        for (unsigned i = 0; i < 10; i++) {
            size_t len = strlen(rule);
            (void)snprintf(rule + len, sizeof(rule) - len, (mask >> i & 1) != 0 ? "/:x%u" : "/a",
                           i);
        }
        strcat(rule, "/b");
        add_rule(router, rule);
    }
    add_rule(router, "any /:a-:b-:c-:d-:e-:f-:g-:h-:i-:j-:k-:l-:m-:n-:o.:p");
    add_rule(router, "any /:a.:b-:c.:d~:e-:f.:g~:h-:i.:j~:k-:l.:m~:n-:o.:p\\!");
    router_freeze(router);
    for (size_t i = 0; i < sizeof(path); i++) {
        path[i] = "/a"[i % 2];
    }
    assert_int_equal(router_match(router, path, sizeof(path), &memory, &chain), 0);
    assert_int_equal(chain.count, 0);
    for (size_t i = 1; i < sizeof(path); i++) {
        path[i] = "-x.x~x"[i % 6];
    }
    assert_int_equal(router_match(router, path, sizeof(path), &memory, &chain), 0);
    pool_fini(&pool);
    router_free(router);
}

/* Sixteen captures, of which each could end almost anywhere; what is wanted at the end is missing. */
static void hostile_paths_of_wildcards_take_no_exponential_time(void **state)
{
    (void)state;
    struct test_pool pool = {.limit = TAKEN_MAX};
    struct router_memory memory = {.alloc = take_from_pool, .ctx = &pool};
    struct router *router = make_router();
    struct router_chain chain;
    char path[ROUTER_PATH_MAX - 1];
    add_rule(router, "any /*a/*b/*c/*d/*e/*f/*g/*h/*i/*j/*k/*l/*m/*n/*o/*p.");
    add_rule(router, "any /*a/:b/*c/:d/*e/:f/*g/:h/*i/:j/*k/:l/*m/:n/*o/:p.");
    add_rule(router, "any /*a-:b-*c-:d-*e-:f-*g-:h/*i-:j-*k-:l-*m-:n-*o-:p.");
    add_rule(router, "any /*a/:b/end");
    router_freeze(router);
    for (size_t i = 0; i < sizeof(path); i++) {
        path[i] = "/a-a"[i % 4];
    }
    assert_int_equal(router_match(router, path, sizeof(path), &memory, &chain), 0);
    assert_int_equal(chain.count, 0);
    memcpy(path + sizeof(path) - 4, "/end", 4);
    assert_int_equal(router_match(router, path, sizeof(path), &memory, &chain), 0);
    assert_int_equal(chain.count, 1);
    pool_fini(&pool);
    router_free(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literal_paths_are_answered_from_the_router),
        cmocka_unit_test(more_steps_than_the_chain_holds_come_from_memory),
        cmocka_unit_test(eight_steps_take_no_memory),
        cmocka_unit_test(many_entries_come_in_order),
        cmocka_unit_test(thousands_of_routes_are_told_apart),
        cmocka_unit_test(literal_paths_beyond_the_table_are_found_in_the_tree),
        cmocka_unit_test(paths_beyond_the_maximum_are_refused),
        cmocka_unit_test(hostile_paths_take_no_exponential_time),
        cmocka_unit_test(hostile_paths_of_wildcards_take_no_exponential_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
