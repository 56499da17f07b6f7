#include "worker/tool/source_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "worker/core/bundle.h"

enum { PATH_ROOM = 512 };

static char root[PATH_MAX];
static struct source_tree tree;
static struct fsd_err err;

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    char made[] = "/tmp/fsd-source-tree-XXXXXX";
    if (mkdtemp(made) == NULL || realpath(made, root) == NULL) {
        return -1;
    }
    memset(&tree, 0, sizeof(tree));
    err.text[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    source_tree_fini(&tree);
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[PATH_MAX + PATH_ROOM];
    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

static void put_folder(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0700), 0);
}

static void put_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void put_link(const char *name, const char *target)
{
    assert_int_equal(symlink(target, path_of(name)), 0);
}

/* "a.lua lib/b.lua" */
static void assert_names(const char *wanted)
{
    char names[PATH_ROOM] = "";
    for (size_t i = 0; i < tree.count; i++) {
        size_t len = strlen(names);
        (void)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? " " : "",
                       tree.files[i].name);
    }
    assert_string_equal(names, wanted);
}

static void all_lua_files_come_sorted_with_their_texts(void **state)
{
    (void)state;
    put_folder("lib");
    put_folder("lib/deep");
    put_file("z.lua", "Z");
    put_file("app.lua", "return 1");
    put_file("lib/b.lua", "");
    put_file("lib/deep/a.lua", "A");
    put_file("lib.lua", "L");
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), 0);
    assert_string_equal(tree.root, root);
    assert_string_equal(tree.main, "app.lua");
    assert_names("app.lua lib.lua lib/b.lua lib/deep/a.lua z.lua");
    assert_string_equal(tree.files[0].text, "return 1");
    assert_int_equal(tree.files[0].len, 8);
    assert_string_equal(tree.files[2].text, "");
    assert_int_equal(tree.bytes, 11);
}

static void what_is_not_code_is_left_out(void **state)
{
    (void)state;
    put_folder(".git");
    put_folder("static");
    put_folder("folder.lua"); /* in spite of its name */
    put_file(".git/hook.lua", "");
    put_file(".hidden.lua", "");
    put_file("README.md", "");
    put_file("static/app.js", "");
    put_file(".lua", "");
    put_file("x.lua.orig", "");
    put_file("app.lua", "");
    assert_int_equal(mkfifo(path_of("pipe.lua"), 0600), 0); /* must not block either */
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), 0);
    assert_names("app.lua");
}

static void folders_behind_links_are_left_out_and_files_are_read(void **state)
{
    (void)state;
    put_folder("lib");
    put_file("lib/a.lua", "A");
    put_file("app.lua", "");
    put_link("loop", ".");
    put_link("lib/up", "..");
    put_link("linked.lua", "lib/a.lua");
    put_link("folder.lua", "lib");
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), 0);
    assert_names("app.lua lib/a.lua linked.lua");
    assert_string_equal(tree.files[2].text, "A");
}

static void a_main_file_behind_a_link_is_read_where_it_is(void **state)
{
    (void)state;
    put_folder("v2");
    put_file("v2/main.lua", "M");
    put_file("v2/x.lua", "");
    put_file("other.lua", "");
    put_link("current", "v2");
    assert_int_equal(source_tree_read(&tree, path_of("current/main.lua"), &err), 0);
    assert_string_equal(tree.main, "main.lua");
    assert_string_equal(tree.root, path_of("v2"));
    assert_names("main.lua x.lua");
}

static void a_main_file_may_have_any_ending(void **state)
{
    (void)state;
    put_file("service", "S");
    put_file("x.lua", "X");
    assert_int_equal(source_tree_read(&tree, path_of("service"), &err), 0);
    assert_names("service x.lua");
}

/* The sentence is before, the root, after. */
static void assert_refused(int error, const char *main_file, const char *before, const char *after)
{
    char wanted[PATH_MAX + FSD_ERR_MAX];
    (void)snprintf(wanted, sizeof(wanted), "%s \"%s%s", before, root, after);
    assert_int_equal(source_tree_read(&tree, main_file, &err), error);
    assert_string_equal(err.text, wanted);
    assert_null(tree.files);
    assert_null(tree.root);
}

static void what_is_no_main_file_is_refused_in_words(void **state)
{
    (void)state;
    put_folder("folder");
    assert_refused(-ENOENT, path_of("none.lua"), "cannot open",
                   "/none.lua\": No such file or directory");
    assert_refused(-EISDIR, path_of("folder"), "cannot open", "/folder\": not a file");
    put_file("file", "");
    assert_refused(-ENOTDIR, path_of("file/app.lua"), "cannot open",
                   "/file/app.lua\": Not a directory");
}

static void a_broken_link_among_the_code_is_refused(void **state)
{
    (void)state;
    put_file("app.lua", "");
    put_link("gone.lua", "nowhere");
    assert_refused(-ENOENT, path_of("app.lua"), "cannot open",
                   "/gone.lua\": No such file or directory");
}

static void too_much_code_is_refused(void **state)
{
    (void)state;
    put_file("app.lua", "");
    put_file("big.lua", "");
    assert_int_equal(truncate(path_of("big.lua"), (off_t)BUNDLE_BYTES_MAX + 1), 0);
    assert_refused(-EFBIG, path_of("app.lua"), "cannot bundle",
                   "\": more than 10000 Lua files or 64 MiB below it; move what is "
                   "not code elsewhere");
}

static void folders_that_never_end_are_refused(void **state)
{
    (void)state;
    enum { DEPTH = 40 };
    char name[DEPTH * 2 + 1];
    put_file("app.lua", "");
    for (size_t i = 0; i < DEPTH; i++) {
        memcpy(name + i * 2, "d/", 3);
        put_folder(name);
    }
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), -ELOOP);
    assert_non_null(strstr(err.text, "more than 32 folders deep"));
}

static void the_same_files_give_the_same_tree(void **state)
{
    (void)state;
    struct source_tree again;
    put_file("b.lua", "B");
    put_file("app.lua", "");
    put_file("a.lua", "A");
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), 0);
    assert_int_equal(source_tree_read(&again, path_of("app.lua"), &err), 0);
    assert_int_equal(again.count, tree.count);
    for (size_t i = 0; i < tree.count; i++) {
        assert_string_equal(again.files[i].name, tree.files[i].name);
    }
    source_tree_fini(&again);
    source_tree_fini(&again); /* twice is allowed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(all_lua_files_come_sorted_with_their_texts),
        TEST(what_is_not_code_is_left_out),
        TEST(folders_behind_links_are_left_out_and_files_are_read),
        TEST(a_main_file_behind_a_link_is_read_where_it_is),
        TEST(a_main_file_may_have_any_ending),
        TEST(what_is_no_main_file_is_refused_in_words),
        TEST(a_broken_link_among_the_code_is_refused),
        TEST(too_much_code_is_refused),
        TEST(folders_that_never_end_are_refused),
        TEST(the_same_files_give_the_same_tree),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
