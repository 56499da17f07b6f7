#include "worker/core/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"
#include "test/support/lua_bundle.h"

static const struct lua_file files[] = {
    {"a.lua", "A"}, {"a/b.lua", "AB"}, {"app.lua", "return 1"}, {"b.lua", ""}, {NULL, NULL},
};

static void every_file_is_found_by_its_name(void **state)
{
    (void)state;
    struct bundle bundle;
    struct fsd_err err;
    int fd = lua_bundle_make("app.lua", files);
    assert_int_equal(bundle_open(&bundle, fd, &err), 0);
    fd_close(&fd); /* the mapping holds it */
    assert_int_equal(bundle.file_count, 4);
    assert_memory_equal(bundle.main, "app.lua", bundle.main_len);
    for (size_t i = 0; files[i].name != NULL; i++) {
        const struct bundle_file *file = bundle_find(&bundle, files[i].name, strlen(files[i].name));
        assert_non_null(file);
        assert_int_equal(file->source_len, strlen(files[i].source));
        assert_memory_equal(file->source, files[i].source, file->source_len);
    }
    bundle_close(&bundle);
}

static void other_names_are_not_found(void **state)
{
    static const char *const names[] = {"", "a", "a.lu", "a.luaa", "A.lua", "zzz", "a/", "a/b"};
    (void)state;
    struct bundle bundle;
    int fd = lua_bundle_make("app.lua", files);
    assert_int_equal(bundle_open(&bundle, fd, NULL), 0);
    fd_close(&fd);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_null(bundle_find(&bundle, names[i], strlen(names[i])));
    }
    bundle_close(&bundle);
    assert_null(bundle_find(&bundle, "a.lua", 5));
    bundle_close(&bundle); /* twice is allowed */
}

static void files_out_of_order_or_twice_are_refused(void **state)
{
    static const struct lua_file rows[][3] = {
        {{"b.lua", ""}, {"a.lua", ""}, {NULL, NULL}},
        {{"a.lua", ""}, {"a.lua", ""}, {NULL, NULL}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bundle bundle;
        struct fsd_err err;
        int fd = lua_bundle_make("a.lua", rows[i]);
        assert_int_equal(bundle_open(&bundle, fd, &err), -EPROTO);
        assert_string_equal(err.text, "cannot read the bundle: Protocol error");
        fd_close(&fd);
    }
}

static int open_bytes(const char *bytes, size_t len)
{
    struct bundle bundle;
    struct fsd_err err;
    int fd = fd_sealed_from("bytes", bytes, len);
    assert_true(fd >= 0);
    int error = bundle_open(&bundle, fd, &err);
    fd_close(&fd);
    if (error == 0) {
        bundle_close(&bundle);
    }
    return error;
}

static void what_is_not_a_bundle_is_refused(void **state)
{
#define ROW(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        ROW("fsd"),
        ROW("fsd-bundle 2\n\x80"),
        ROW("fsd-bundle 1\n"),
        ROW("fsd-bundle 1\n\x80"),              /* neither main nor files */
        ROW("fsd-bundle 1\n\x81\xa4main\xa1m"), /* no files */
        ROW("fsd-bundle 1\n\x81\xa5"
            "files\x90"), /* no main */
        ROW("fsd-bundle 1\n\x82\xa4main\x07\xa5"
            "files\x90"), /* main is a number */
        ROW("fsd-bundle 1\n\x82\xa4main\xa1m\xa5"
            "files\xdd\xff\xff\xff\xff"),
        ROW("fsd-bundle 1\n\x82\xa4main\xa1m\xa5"
            "files\x91\xa1m"), /* a file is no pair */
        ROW("fsd-bundle 1\n\x82\xa4main\xa1m\xa5"
            "files\x91\x93\xa1m\xa0\xa0"),
        ROW("fsd-bundle 1\n\x82\xa4main\xa1m\xa5"
            "files\x91\x92\xa1m"),
        ROW("fsd-bundle 1\n\x83\xa4main\xa1m\xa5"
            "files\x90\xa5"
            "files\x90"),
        ROW("fsd-bundle 1\n\x82\x01\x02\xa5"
            "files\x90"), /* a key is a number */
        ROW("fsd-bundle 1\n\x83\xa4main\xa1m\xa5"
            "files\x90\xa3new"),
    };
#undef ROW
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(open_bytes(rows[i].bytes, rows[i].len), -EPROTO);
    }
}

static void keys_of_a_newer_writer_are_skipped(void **state)
{
    static const char bytes[] = "fsd-bundle 1\n\x83\xa3new\x92\x01\xa1x\xa4main\xa1m\xa5"
                                "files\x90";
    (void)state;
    assert_int_equal(open_bytes(bytes, sizeof(bytes) - 1), 0);
}

static void a_bundle_that_could_change_is_refused(void **state)
{
    (void)state;
    struct bundle bundle;
    struct fsd_err err;
    int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(bundle_open(&bundle, fd, &err), -EPERM);
    assert_string_equal(err.text, "cannot read the bundle: Operation not permitted");
    fd_close(&fd);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    const void *bytes;
    size_t len;
    int fd = lua_bundle_make("app.lua", files);
    assert_int_equal(fd_map_sealed(fd, &bytes, &len), 0);
    for (size_t cut = 1; cut < len; cut++) {
        assert_int_equal(open_bytes(bytes, cut), -EPROTO);
    }
    assert_int_equal(open_bytes(bytes, len), 0);
    fd_unmap(bytes, len);
    fd_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_found_by_its_name),
        cmocka_unit_test(other_names_are_not_found),
        cmocka_unit_test(files_out_of_order_or_twice_are_refused),
        cmocka_unit_test(what_is_not_a_bundle_is_refused),
        cmocka_unit_test(keys_of_a_newer_writer_are_skipped),
        cmocka_unit_test(a_bundle_that_could_change_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
