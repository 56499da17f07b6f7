#include "worker/core/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/msgpack.h"

static struct msgpack_writer writer;

static void begin(uint32_t pairs)
{
    msgpack_writer_init(&writer, 1 << 16);
    msgpack_write_map(&writer, pairs);
}

static void put_text(const char *key, const char *value)
{
    msgpack_write_text(&writer, key);
    msgpack_write_text(&writer, value);
}

static void put_int(const char *key, int64_t value)
{
    msgpack_write_text(&writer, key);
    msgpack_write_int(&writer, value);
}

/* Reads what was put since begin. */
static int read_config(struct config *config, struct fsd_err *err)
{
    int fd = fd_sealed_from("config", writer.data, writer.len);
    msgpack_writer_fini(&writer);
    assert_true(fd >= 0);
    int error = config_read(config, fd, err);
    fd_close(&fd);
    return error;
}

static void put_limits(void)
{
    msgpack_write_text(&writer, "limits");
    msgpack_write_map(&writer, 15);
    put_int("request_timeout_ms", 30000);
    put_int("cpu_ms", 10000);
    put_int("keepalive_ms", 60000);
    put_int("replaced_ms", 45000);
    put_int("body_bytes", (int64_t)1 << 40);
    put_int("actor_memory_bytes", (int64_t)1 << 20);
    put_int("header_timeout_ms", 11);
    put_int("body_timeout_ms", 12);
    put_int("write_timeout_ms", 13);
    put_int("url_bytes", 14);
    put_int("header_bytes", 15);
    put_int("headers", 16);
    put_int("connections", 17);
    put_int("connections_per_ip", 18);
    put_text("of_a_newer_master", "skipped");
}

static void put_compress(void)
{
    msgpack_write_text(&writer, "compress");
    msgpack_write_map(&writer, 2);
    put_int("compress_level", 19);
    put_int("compress_min_bytes", 20);
}

static void put_env(void)
{
    msgpack_write_text(&writer, "env");
    msgpack_write_map(&writer, 2);
    put_text("FSD_TEST_KEY", "value");
    put_text("FSD_TEST_EMPTY", "");
}

static void everything_that_the_master_says_is_kept(void **state)
{
    (void)state;
    struct config config;
    struct fsd_err err;
    config_init(&config);
    assert_int_equal(config.log_level, LOG_LEVEL_INFO);
    begin(11);
    put_int("number", 7);
    put_text("pool", "web");
    put_text("app", "shop");
    put_text("trusted_proxies", "loopback");
    put_text("path", "/srv/shop/app.lua");
    put_int("workers", 4);
    put_int("log_level", LOG_LEVEL_DEBUG);
    msgpack_write_text(&writer, "settings");
    msgpack_write_map(&writer, 1);
    put_text("colour", "red");
    put_env();
    put_limits();
    put_compress();
    assert_int_equal(read_config(&config, &err), 0);
    assert_string_equal(config.trusted_proxies, "loopback");
    assert_string_equal(config.pool, "web");
    assert_string_equal(config.app, "shop");
    assert_string_equal(config.path, "/srv/shop/app.lua");
    assert_int_equal(config.workers, 4);
    assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(config.request_timeout_ms, 30000);
    assert_int_equal(config.cpu_ms, 10000);
    assert_int_equal(config.keepalive_ms, 60000);
    assert_int_equal(config.replaced_ms, 45000);
    assert_int_equal(config.body_bytes, (uint64_t)1 << 40);
    assert_int_equal(config.actor_memory_bytes, 1 << 20);
    assert_int_equal(config.header_timeout_ms, 11);
    assert_int_equal(config.body_timeout_ms, 12);
    assert_int_equal(config.write_timeout_ms, 13);
    assert_int_equal(config.url_bytes, 14);
    assert_int_equal(config.header_bytes, 15);
    assert_int_equal(config.headers, 16);
    assert_int_equal(config.compress_level, 19);
    assert_int_equal(config.compress_min_bytes, 20);
    assert_int_equal(config.connections, 17);
    assert_int_equal(config.connections_per_ip, 18);
    assert_int_equal(config.settings_len, 12);
    assert_memory_equal(config.settings,
                        "\x81\xa6"
                        "colour\xa3red",
                        12);
    assert_int_equal(config_export_env(&config), 0);
    assert_string_equal(getenv("FSD_TEST_KEY"), "value");
    assert_string_equal(getenv("FSD_TEST_EMPTY"), "");
    config_fini(&config);
    assert_null(config.settings);
    config_fini(&config); /* twice is allowed */
}

static void what_is_not_said_keeps_its_default(void **state)
{
    (void)state;
    struct config config;
    config_init(&config);
    begin(1);
    put_text("pool", "web");
    assert_int_equal(read_config(&config, NULL), 0);
    assert_int_equal(config.log_level, LOG_LEVEL_INFO);
    assert_null(config.env);
    assert_int_equal(config_export_env(&config), 0);
    config_fini(&config);
}

static void put_long_pool(void)
{
    char name[CONFIG_NAME_MAX + 1];
    memset(name, 'x', CONFIG_NAME_MAX);
    name[CONFIG_NAME_MAX] = '\0';
    put_text("pool", name);
}

static void put_negative_workers(void)
{
    put_int("workers", -1);
}

static void put_large_workers(void)
{
    put_int("workers", (int64_t)UINT32_MAX + 1);
}

static void put_text_workers(void)
{
    put_text("workers", "1");
}

static void put_flat_limits(void)
{
    put_int("limits", 1);
}

static void put_nested_limits(void)
{
    msgpack_write_text(&writer, "limits");
    msgpack_write_map(&writer, 1);
    msgpack_write_text(&writer, "limits");
    msgpack_write_map(&writer, 0);
}

static void put_number_key(void)
{
    msgpack_write_int(&writer, 1);
    msgpack_write_int(&writer, 1);
}

static void put_nothing(void)
{
}

static void a_message_that_is_wrong_changes_nothing(void **state)
{
    static void (*const rows[])(void) = {
        put_long_pool,   put_negative_workers, put_large_workers, put_text_workers,
        put_flat_limits, put_nested_limits,    put_number_key,    put_nothing,
    };
    (void)state;
    struct config config;
    config_init(&config);
    begin(1);
    put_text("pool", "before");
    assert_int_equal(read_config(&config, NULL), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fsd_err err;
        begin(1);
        rows[i]();
        assert_int_equal(read_config(&config, &err), -EPROTO);
        assert_string_equal(err.text, "cannot read the configuration that the master sent");
        assert_string_equal(config.pool, "before");
        assert_non_null(config.bytes);
    }
    config_fini(&config);
}

static void a_configuration_that_could_change_is_refused(void **state)
{
    (void)state;
    struct config config;
    struct fsd_err err;
    config_init(&config);
    assert_int_equal(config_read(&config, -1, &err), -EPERM);
    assert_string_equal(err.text, "cannot map the configuration: Operation not permitted");
}

static void an_environment_that_setenv_refuses_is_an_error(void **state)
{
    static const char *const names[] = {"", "a=b"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct config config;
        config_init(&config);
        begin(1);
        msgpack_write_text(&writer, "env");
        msgpack_write_map(&writer, 1);
        put_text(names[i], "x");
        assert_int_equal(read_config(&config, NULL), 0);
        assert_int_equal(config_export_env(&config), -EINVAL);
        config_fini(&config);
    }
}

static void an_environment_of_other_than_texts_is_an_error(void **state)
{
    (void)state;
    struct config config;
    config_init(&config);
    begin(1);
    msgpack_write_text(&writer, "env");
    msgpack_write_map(&writer, 1);
    put_int("FSD_TEST_NUMBER", 5);
    assert_int_equal(read_config(&config, NULL), 0);
    assert_int_equal(config_export_env(&config), -EPROTO);
    assert_null(getenv("FSD_TEST_NUMBER"));
    config_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_that_the_master_says_is_kept),
        cmocka_unit_test(what_is_not_said_keeps_its_default),
        cmocka_unit_test(a_message_that_is_wrong_changes_nothing),
        cmocka_unit_test(a_configuration_that_could_change_is_refused),
        cmocka_unit_test(an_environment_that_setenv_refuses_is_an_error),
        cmocka_unit_test(an_environment_of_other_than_texts_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
