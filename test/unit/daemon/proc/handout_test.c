/* The configuration of one worker, as it reads it. */
#include "daemon/proc/handout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/fd.h"
#include "common/msgpack.h"
#include "daemon/conf/conf.h"

static char pool_name[] = "web";
static char app_name[] = "shop";
static char app_path[] = "/srv/shop/app.lua";
static char env_name[] = "KEY";
static char env_value[] = "secret";

static struct conf_env env[] = {{env_name, env_value, false}};
static unsigned char settings[] = {0x81, 0xa1, 'a', 0x01}; /* {a = 1} */

/* Finds a key of the top map; the reader stands at its value then. */
static int find_key(const void *data, size_t len, const char *key, struct msgpack_reader *reader)
{
    struct msgpack_value map;
    msgpack_reader_init(reader, data, len);
    assert_int_equal(msgpack_expect(reader, MSGPACK_MAP, &map), 0);
    for (uint32_t i = 0; i < map.count; i++) {
        struct msgpack_value name;
        assert_int_equal(msgpack_expect(reader, MSGPACK_STR, &name), 0);
        if (name.len == strlen(key) && memcmp(name.bytes, key, name.len) == 0) {
            return 1;
        }
        assert_int_equal(msgpack_skip(reader), 0);
    }
    assert_ptr_equal(reader->at, reader->end);
    return 0;
}

static void every_key_of_the_contract_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        enum msgpack_kind kind;
        int64_t integer;
        const char *text;
    } cases[] = {
        {"number", MSGPACK_INT, 7, NULL},
        {"pool", MSGPACK_STR, 0, "web"},
        {"workers", MSGPACK_INT, 4, NULL},
        {"app", MSGPACK_STR, 0, "shop"},
        {"path", MSGPACK_STR, 0, "/srv/shop/app.lua"},
        {"log_level", MSGPACK_INT, 6, NULL},
        {"refreshes", MSGPACK_INT, 0, NULL},
        {"settings", MSGPACK_MAP, 0, NULL},
        {"env", MSGPACK_MAP, 0, NULL},
        {"trusted_proxies", MSGPACK_STR, 0, "loopback"},
        {"limits", MSGPACK_MAP, 0, NULL},
        {"compress", MSGPACK_MAP, 0, NULL},
    };
    struct conf_app app = {.name = app_name,
                           .path = app_path,
                           .settings = settings,
                           .settings_len = sizeof(settings),
                           .env = env,
                           .env_count = 1};
    struct conf_pool pool = {.name = pool_name,
                             .trusted_proxies = "loopback",
                             .limits = {30000, 10000, 60000, 45000, UINT64_MAX, 1 << 20, 1 << 16}};
    struct conf conf = {.apps = &app, .app_count = 1, .log_level = LOG_LEVEL_INFO};
    const void *data = NULL;
    size_t len = 0;
    int fd = handout_create(&conf, &pool, 7, 4, NULL);
    assert_true(fd >= 0);
    assert_int_equal(fd_map_sealed(fd, &data, &len), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_reader reader;
        struct msgpack_value value;
        assert_true(find_key(data, len, cases[i].key, &reader));
        assert_int_equal(msgpack_expect(&reader, cases[i].kind, &value), 0);
        if (cases[i].kind == MSGPACK_INT) {
            assert_int_equal(value.integer, cases[i].integer);
        } else if (cases[i].text != NULL) {
            assert_int_equal(value.len, strlen(cases[i].text));
            assert_memory_equal(value.bytes, cases[i].text, value.len);
        }
    }
    struct msgpack_reader reader;
    assert_false(find_key(data, len, "no such key", &reader)); /* and nothing is behind the map */
    fd_unmap(data, len);
    fd_close(&fd);
}

static void every_limit_of_the_pool_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int64_t value;
    } cases[] = {
        {"request_timeout_ms", 1},
        {"cpu_ms", 2},
        {"keepalive_ms", 3},
        {"replaced_ms", 4},
        {"body_bytes", 5},
        {"memory_bytes", 6},
        {"actor_memory_bytes", 7},
        {"header_timeout_ms", 8},
        {"body_timeout_ms", 9},
        {"write_timeout_ms", 10},
        {"url_bytes", 11},
        {"header_bytes", 12},
        {"headers", 13},
        {"connections", 14},
        {"connections_per_ip", 15},
    };
    struct conf_app app = {.name = app_name, .path = app_path};
    struct conf_pool pool = {.name = pool_name,
                             .limits = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
    struct conf conf = {.apps = &app, .app_count = 1};
    const void *data = NULL;
    size_t len = 0;
    int fd = handout_create(&conf, &pool, 1, 1, NULL);
    assert_int_equal(fd_map_sealed(fd, &data, &len), 0);
    struct msgpack_reader reader;
    struct msgpack_value value;
    assert_true(find_key(data, len, "limits", &reader));
    assert_int_equal(msgpack_expect(&reader, MSGPACK_MAP, &value), 0);
    assert_int_equal(value.count, sizeof(cases) / sizeof(cases[0]));
    for (size_t i = 0; i < value.count && i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_value key;
        struct msgpack_value number;
        assert_int_equal(msgpack_expect(&reader, MSGPACK_STR, &key), 0);
        assert_int_equal(key.len, strlen(cases[i].key));
        assert_memory_equal(key.bytes, cases[i].key, key.len);
        assert_int_equal(msgpack_expect(&reader, MSGPACK_INT, &number), 0);
        assert_int_equal(number.integer, cases[i].value);
    }
    fd_unmap(data, len);
    fd_close(&fd);
}

static void settings_may_be_absent(void **state)
{
    (void)state;
    struct conf_app app = {.name = app_name, .path = app_path};
    struct conf_pool pool = {.name = pool_name};
    struct conf conf = {.apps = &app, .app_count = 1, .log_level = LOG_LEVEL_INFO};
    const void *data = NULL;
    size_t len = 0;
    struct msgpack_reader reader;
    struct msgpack_value value;
    int fd = handout_create(&conf, &pool, 1, 1, NULL);
    assert_int_equal(fd_map_sealed(fd, &data, &len), 0);
    assert_true(find_key(data, len, "settings", &reader));
    assert_int_equal(msgpack_expect(&reader, MSGPACK_MAP, &value), 0);
    assert_int_equal(value.count, 0);
    fd_unmap(data, len);
    fd_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_contract_is_there),
        cmocka_unit_test(every_limit_of_the_pool_is_there),
        cmocka_unit_test(settings_may_be_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
