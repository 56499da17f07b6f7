/* Where fsd-worker is looked for. */
#include "daemon/verb/worker_path.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"

struct fixture {
    char root[64];
    char sbin[96];
    char beside[160];
    char installed[160];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char made[] = "/tmp/fsd-path-XXXXXX";
    char path[160];
    assert_non_null(mkdtemp(made));
    (void)snprintf(fixture->root, sizeof(fixture->root), "%s", made);
    (void)snprintf(fixture->sbin, sizeof(fixture->sbin), "%s/sbin", fixture->root);
    (void)snprintf(fixture->beside, sizeof(fixture->beside), "%s/fsd-worker", fixture->sbin);
    (void)snprintf(path, sizeof(path), "%s/lib", fixture->root);
    assert_int_equal(mkdir(fixture->sbin, 0700), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/lib/fsd", fixture->root);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(fixture->installed, sizeof(fixture->installed), "%s/lib/fsd/fsd-worker",
                   fixture->root);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char path[160];
    (void)unlink(fixture->beside); /* whichever a test made */
    (void)rmdir(fixture->beside);
    (void)unlink(fixture->installed);
    (void)snprintf(path, sizeof(path), "%s/lib/fsd", fixture->root);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof(path), "%s/lib", fixture->root);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(fixture->sbin), 0);
    assert_int_equal(rmdir(fixture->root), 0);
    free(fixture);
    return 0;
}

static void make_program(const char *path, mode_t mode)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    fd_close(&fd);
}

static bool is_same_file(const char *left, const char *right)
{
    struct stat a;
    struct stat b;
    return stat(left, &a) == 0 && stat(right, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

static void a_link_stays_a_link_so_that_a_new_worker_behind_it_is_started(void **state)
{
    const struct fixture *fixture = *state;
    char path[PATH_MAX];
    make_program(fixture->installed, 0755);
    assert_int_equal(symlink(fixture->installed, fixture->beside), 0);
    assert_int_equal(worker_path_find(fixture->beside, path, NULL), 0);
    assert_string_equal(path, fixture->beside);
}

static void the_one_beside_the_program_comes_before_the_installed_one(void **state)
{
    const struct fixture *fixture = *state;
    char path[PATH_MAX];
    make_program(fixture->installed, 0755);
    assert_int_equal(worker_path_find_near(fixture->sbin, path, NULL), 0);
    assert_true(is_same_file(path, fixture->installed));
    make_program(fixture->beside, 0755);
    assert_int_equal(worker_path_find_near(fixture->sbin, path, NULL), 0);
    assert_string_equal(path, fixture->beside);
}

static void when_there_is_none_both_places_are_named(void **state)
{
    const struct fixture *fixture = *state;
    char path[PATH_MAX] = "untouched";
    char expected[512];
    struct fsd_err err = {""};
    assert_int_equal(worker_path_find_near(fixture->sbin, path, &err), -ENOENT);
    (void)snprintf(expected, sizeof(expected),
                   "cannot find fsd-worker at \"%s/fsd-worker\" nor at "
                   "\"%s/../lib/fsd/fsd-worker\": No such file or directory",
                   fixture->sbin, fixture->sbin);
    assert_string_equal(err.text, expected);
    assert_string_equal(path, "untouched");
}

static void one_that_cannot_be_executed_is_not_passed_over(void **state)
{
    const struct fixture *fixture = *state;
    char path[PATH_MAX];
    make_program(fixture->installed, 0755);
    make_program(fixture->beside, 0644);
    assert_int_equal(worker_path_find_near(fixture->sbin, path, NULL), -EACCES);
    assert_int_equal(unlink(fixture->beside), 0);
    assert_int_equal(mkdir(fixture->beside, 0755), 0);
    assert_int_equal(worker_path_find_near(fixture->sbin, path, NULL), -EACCES);
}

static void the_option_is_the_only_place_then(void **state)
{
    const struct fixture *fixture = *state;
    char path[PATH_MAX];
    char dotted[200];
    char expected[256];
    struct fsd_err err = {""};
    make_program(fixture->installed, 0755);
    (void)snprintf(dotted, sizeof(dotted), "%s/../lib/fsd/fsd-worker", fixture->sbin);
    assert_int_equal(worker_path_find(dotted, path, NULL), 0);
    assert_true(is_same_file(path, fixture->installed));

    assert_int_equal(worker_path_find(fixture->beside, path, &err), -ENOENT);
    (void)snprintf(expected, sizeof(expected),
                   "cannot use \"%s\" as fsd-worker: No such file or directory", fixture->beside);
    assert_string_equal(err.text, expected);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_link_stays_a_link_so_that_a_new_worker_behind_it_is_started),
        TEST(the_one_beside_the_program_comes_before_the_installed_one),
        TEST(when_there_is_none_both_places_are_named),
        TEST(one_that_cannot_be_executed_is_not_passed_over),
        TEST(the_option_is_the_only_place_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
