#include "worker/tool/source_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static void templates_belong_to_the_code(void **state)
{
    (void)state;
    put_folder("views");
    put_folder("views/user");
    put_folder("public");
    put_file("app.lua", "");
    put_file("mail.tpl", "");
    put_file("public/index.html", "");
    put_file("views/user/show.html", "V");
    put_file("views/photo.jpg", "");
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), 0);
    assert_names("app.lua mail.tpl views/user/show.html");
    assert_string_equal(tree.files[2].text, "V");
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

static void too_much_code_is_refused_with_how_much_it_is(void **state)
{
    (void)state;
    put_file("app.lua", "");
    put_file("z.lua", "Z");
    put_folder("data");
    put_file("data/big.lua", "");
    put_file("data/small.lua", "");
    assert_int_equal(truncate(path_of("data/small.lua"), (off_t)BUNDLE_BYTES_MAX / 2), 0);
    assert_int_equal(truncate(path_of("data/big.lua"), (off_t)BUNDLE_BYTES_MAX - 1), 0);
    assert_refused(
        -EFBIG, path_of("app.lua"), "cannot bundle",
        "\": it has 4 files of code with 96.0 MiB, the limit is 10000 files and 64 MiB; move "
        "what is not code elsewhere (the largest: \"data/big.lua\", 64.0 MiB)");
    assert_int_equal(truncate(path_of("data/small.lua"), 0), 0);
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), 0);
    assert_int_equal(tree.bytes, BUNDLE_BYTES_MAX); /* the limit itself is fine */
}

static void one_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    put_file("app.lua", "");
    assert_int_equal(truncate(path_of("app.lua"), (off_t)BUNDLE_BYTES_MAX + 1), 0);
    assert_refused(
        -EFBIG, path_of("app.lua"), "cannot bundle",
        "\": it has 1 file of code with 64.1 MiB, the limit is 10000 files and 64 MiB; move "
        "what is not code elsewhere (the largest: \"app.lua\", 64.1 MiB)");
}

static void too_many_files_are_refused(void **state)
{
    (void)state;
    char name[32];
    put_file("app.lua", "");
    for (int i = 0; i <= BUNDLE_FILES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "%d.lua", i);
        put_link(name, "app.lua");
    }
    assert_int_equal(source_tree_read(&tree, path_of("app.lua"), &err), -EFBIG);
    assert_non_null(strstr(err.text, "it has 10002 files of code with 0.0 MiB, the limit is"));
}

/* Turns a link back and forth between two folders until it is killed. */
static pid_t start_turning(void)
{
    char link[PATH_MAX + PATH_ROOM];
    char next[PATH_MAX + PATH_ROOM];
    (void)snprintf(link, sizeof(link), "%s/current", root);
    (void)snprintf(next, sizeof(next), "%s/next", root);
    pid_t pid = fork();
    bool turns = pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
    for (int i = 0; turns; i++) {
        turns = symlink(i % 2 == 0 ? "two" : "one", next) == 0 && rename(next, link) == 0;
    }
    if (pid == 0) {
        _exit(1);
    }
    return pid;
}

static void a_link_that_is_turned_meanwhile_never_mixes_two_releases(void **state)
{
    (void)state;
    enum { READS = 300, FILES = 20 };
    const char *const releases[] = {"one", "two"};
    char name[32];
    for (size_t i = 0; i < 2; i++) {
        put_folder(releases[i]);
        for (int j = 0; j < FILES; j++) {
            (void)snprintf(name, sizeof(name), "%s/%d.lua", releases[i], j);
            put_file(name, releases[i]);
        }
    }
    put_link("current", "one");
    pid_t turner = start_turning();
    assert_true(turner > 0);
    size_t mixed = 0;
    for (int i = 0; i < READS; i++) {
        if (source_tree_read(&tree, path_of("current/0.lua"), &err) != 0) {
            mixed++;
            continue;
        }
        for (size_t j = 0; j < tree.count; j++) {
            mixed += strcmp(tree.files[j].text, strrchr(tree.root, '/') + 1) != 0;
        }
        mixed += tree.count != FILES;
        source_tree_fini(&tree);
    }
    int status = 0;
    assert_int_equal(kill(turner, SIGKILL), 0);
    assert_int_equal(waitpid(turner, &status, 0), turner);
    assert_true(WIFSIGNALED(status)); /* it has turned until now */
    assert_int_equal(mixed, 0);
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
        TEST(templates_belong_to_the_code),
        TEST(what_is_not_code_is_left_out),
        TEST(folders_behind_links_are_left_out_and_files_are_read),
        TEST(a_main_file_behind_a_link_is_read_where_it_is),
        TEST(a_main_file_may_have_any_ending),
        TEST(what_is_no_main_file_is_refused_in_words),
        TEST(a_broken_link_among_the_code_is_refused),
        TEST(too_much_code_is_refused_with_how_much_it_is),
        TEST(one_file_that_is_too_large_is_refused),
        TEST(too_many_files_are_refused),
        TEST(a_link_that_is_turned_meanwhile_never_mixes_two_releases),
        TEST(folders_that_never_end_are_refused),
        TEST(the_same_files_give_the_same_tree),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
