/* Counts by address, against a plain array; and whom an address stands for. */
#include "worker/http/connection/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t key_of(const char *text)
{
    struct address address;
    assert_int_equal(address_parse(text, strlen(text), &address), 0);
    return peers_key(&address);
}

static void an_ipv4_address_stands_for_itself_and_an_ipv6_address_for_its_64(void **state)
{
    (void)state;
    assert_int_equal(key_of("10.0.0.1"), key_of("::ffff:10.0.0.1"));
    assert_int_not_equal(key_of("10.0.0.1"), key_of("10.0.0.2"));
    assert_int_equal(key_of("2001:db8:0:1::1"), key_of("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert_int_not_equal(key_of("2001:db8:0:1::1"), key_of("2001:db8:0:2::1"));
    assert_int_not_equal(key_of("::1"), 0);
    assert_int_not_equal(key_of("0.0.0.0"), 0);
    assert_int_not_equal(key_of("::1"), key_of("10.0.0.1"));
}

static void nobody_is_there_at_first(void **state)
{
    (void)state;
    struct peers peers = {.seed = 3};
    assert_int_equal(peers_count(&peers, 7), 0);
    peers_fini(&peers);
    peers_add(&peers, 7);
    assert_int_equal(peers_count(&peers, 7), 1);
    assert_int_equal(peers_count(&peers, 8), 0);
    peers_remove(&peers, 7);
    assert_int_equal(peers_count(&peers, 7), 0);
    assert_int_equal(peers.used, 0);
    peers_fini(&peers);
    peers_fini(&peers); /* twice is allowed */
}

enum { KEYS = 300, STEPS = 200000 };

/* Few keys and many steps, so that rows stand behind each other and move up. */
static void counts_are_those_of_an_array(void **state)
{
    (void)state;
    struct peers peers = {.seed = 42};
    uint32_t expected[KEYS] = {0};
    uint32_t random = 12345;
    size_t distinct = 0;
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;
        uint64_t key = 1 + (random >> 8) % KEYS;
        uint32_t *count = &expected[key - 1];
        if (random >> 31 != 0 && *count < 3) {
            distinct += *count == 0;
            ++*count;
            peers_add(&peers, key);
        } else if (*count > 0) {
            --*count;
            distinct -= *count == 0;
            peers_remove(&peers, key);
        }
        assert_int_equal(peers_count(&peers, key), *count);
        assert_int_equal(peers.used, distinct);
    }
    for (uint64_t key = 1; key <= KEYS; key++) {
        assert_int_equal(peers_count(&peers, key), expected[key - 1]);
    }
    peers_fini(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ipv4_address_stands_for_itself_and_an_ipv6_address_for_its_64),
        cmocka_unit_test(nobody_is_there_at_first),
        cmocka_unit_test(counts_are_those_of_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
