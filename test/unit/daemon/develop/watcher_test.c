/* A watcher over real files: what it takes for a change, however a file is saved. */
#include "daemon/develop/watcher.h"

#include <errno.h>
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
#include "daemon/develop/scan.h"
#include "daemon/owner.h"

/* A folder of code that is watched. */
struct code {
    char folder[64];
    sd_event *loop;
    struct watcher watcher;
    unsigned changes;
    unsigned failures;
    char names[256];
};

static void on_change(struct watcher *watcher, const char *names, const char *why)
{
    struct code *code = OWNER_OF(watcher, struct code, watcher);
    code->changes += names != NULL;
    code->failures += names == NULL;
    (void)snprintf(code->names, sizeof(code->names), "%s", names != NULL ? names : why);
}

static char *path_of(const struct code *code, const char *name)
{
    static char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", code->folder, name);
    return path;
}

static void put(const struct code *code, const char *name, const char *text)
{
    FILE *file = fopen(path_of(code, name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const struct code *code, const char *name)
{
    assert_int_equal(mkdir(path_of(code, name), 0700), 0);
}

static void move(const struct code *code, const char *from, const char *to)
{
    char old[PATH_MAX];
    (void)snprintf(old, sizeof(old), "%s", path_of(code, from));
    assert_int_equal(rename(old, path_of(code, to)), 0);
}

static int begin(void **state)
{
    struct code *code = calloc(1, sizeof(*code));
    assert_non_null(code);
    strcpy(code->folder, "/tmp/fsd-watcher-XXXXXX");
    assert_non_null(mkdtemp(code->folder));
    assert_int_equal(sd_event_new(&code->loop), 0);
    put(code, "app.lua", "return 1");
    make_folder(code, "lib");
    put(code, "lib/x.lua", "return 1");
    *state = code;
    return 0;
}

static int end(void **state)
{
    struct code *code = *state;
    char command[128];
    watcher_close(&code->watcher);
    (void)sd_event_unref(code->loop);
    (void)snprintf(command, sizeof(command), "rm -rf %s", code->folder);
    int result = system(command); /* NOLINT(cert-env33-c): of a name that was made here */
    free(code);
    return result;
}

static void open_watcher(struct code *code)
{
    struct fsd_err err = {""};
    assert_int_equal(
        watcher_open(&code->watcher, code->loop, path_of(code, "app.lua"), on_change, &err), 0);
}

/* Until something is told. */
static void expect(struct code *code, const char *names)
{
    while (code->changes + code->failures == 0) {
        assert_true(sd_event_run(code->loop, 10000000) > 0);
    }
    assert_string_equal(code->names, names);
    code->changes = 0;
    code->failures = 0;
}

static void a_file_that_is_written_has_changed(void **state)
{
    struct code *code = *state;
    open_watcher(code);
    put(code, "app.lua", "return 22");
    expect(code, "app.lua");
    put(code, "lib/x.lua", "return 22");
    expect(code, "lib/x.lua");
}

static void a_template_that_is_written_has_changed(void **state)
{
    struct code *code = *state;
    make_folder(code, "views");
    make_folder(code, "public");
    put(code, "views/x.html", "1");
    put(code, "public/x.html", "1");
    open_watcher(code);
    put(code, "public/x.html", "22");
    put(code, "views/x.html", "22");
    expect(code, "views/x.html");
    put(code, "lib/mail.tpl", "1");
    expect(code, "lib/mail.tpl");
}

static void a_file_that_takes_the_place_of_another_has_changed(void **state)
{
    struct code *code = *state;
    open_watcher(code);
    put(code, ".app.lua.swp", "return 2");
    move(code, ".app.lua.swp", "app.lua");
    expect(code, "app.lua");
    move(code, "app.lua", "app.lua~"); /* a backup, then a new file */
    put(code, "app.lua", "return 2");
    expect(code, "app.lua");
}

static void files_that_are_saved_together_are_one_change(void **state)
{
    struct code *code = *state;
    open_watcher(code);
    put(code, "app.lua", "return 22");
    put(code, "lib/x.lua", "return 22");
    put(code, "lib/y.lua", "return 22");
    expect(code, "app.lua, lib/x.lua, lib/y.lua");
}

/* Written from within the loop, a few between two turns, so that hints come in between. */
struct checkout {
    struct code *code;
    int written;
    int wanted;
};

static int write_some(sd_event_source *source, void *userdata)
{
    struct checkout *checkout = userdata;
    char name[32];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof(name), "many/f%d.lua", checkout->written++);
        put(checkout->code, name, "return 22");
    }
    bool is_done = checkout->written >= checkout->wanted;
    return sd_event_source_set_enabled(source, is_done ? SD_EVENT_OFF : SD_EVENT_ON);
}

static void a_thousand_files_at_once_are_one_change(void **state)
{
    struct code *code = *state;
    struct checkout checkout = {.code = code, .wanted = 1000};
    sd_event_source *source = NULL;
    open_watcher(code);
    make_folder(code, "many"); /* new: its first files come before it is watched */
    put(code, "many/a.lua", "return 1");
    assert_true(sd_event_add_defer(code->loop, &source, write_some, &checkout) >= 0);
    assert_int_equal(sd_event_source_set_enabled(source, SD_EVENT_ON), 0);
    /* however slow this is: the hints are read as they come, the moment without any is behind the last */
    assert_true(sd_event_source_set_priority(code->watcher.timer, SD_EVENT_PRIORITY_IDLE) >= 0);
    expect(code, "many/a.lua, many/f0.lua, many/f1.lua and 998 more");
    sd_event_source_unref(source);
}

static void a_file_behind_a_link_is_watched(void **state)
{
    struct code *code = *state;
    make_folder(code, ".away"); /* hidden: else it would be watched anyway */
    put(code, ".away/shared.lua", "return 1");
    assert_int_equal(symlink("../.away/shared.lua", path_of(code, "lib/shared.lua")), 0);
    open_watcher(code);
    put(code, ".away/shared.lua", "return 22");
    expect(code, "lib/shared.lua");
    put(code, ".away/new", "return 333"); /* and the file that takes its place, too */
    move(code, ".away/new", ".away/shared.lua");
    expect(code, "lib/shared.lua");
    put(code, ".away/shared.lua", "return 4444");
    expect(code, "lib/shared.lua");
}

static void who_asks_knows_of_what_was_written_just_now(void **state)
{
    struct code *code = *state;
    open_watcher(code);
    assert_false(watcher_is_waiting(&code->watcher));
    put(code, "app.lua", "return 22"); /* the loop has not run since */
    assert_true(watcher_is_waiting(&code->watcher));
    expect(code, "app.lua");
    assert_false(watcher_is_waiting(&code->watcher));
}

static void what_is_no_code_is_no_change(void **state)
{
    struct code *code = *state;
    open_watcher(code);
    put(code, "notes.txt", "x");
    put(code, ".hidden.lua", "x");
    make_folder(code, ".git");
    put(code, ".git/x.lua", "x");
    make_folder(code, "empty"); /* read, and nothing found */
    put(code, "lib/last.lua", "x");
    expect(code, "lib/last.lua");
}

static void new_folders_are_watched(void **state)
{
    struct code *code = *state;
    open_watcher(code);
    make_folder(code, "new");
    make_folder(code, "new/deep");
    put(code, "new/deep/a.lua", "x");
    expect(code, "new/deep/a.lua");
    put(code, "new/deep/a.lua", "xy");
    expect(code, "new/deep/a.lua");
}

static void folders_that_are_renamed_are_watched_under_their_new_name(void **state)
{
    struct code *code = *state;
    open_watcher(code);
    move(code, "lib", "own");
    expect(code, "lib/x.lua, own/x.lua");
    put(code, "own/x.lua", "xy");
    expect(code, "own/x.lua");
    assert_int_equal(unlink(path_of(code, "own/x.lua")), 0);
    expect(code, "own/x.lua");
}

static void links_that_lead_in_a_circle_are_not_followed(void **state)
{
    struct code *code = *state;
    assert_int_equal(symlink("..", path_of(code, "lib/up")), 0);
    assert_int_equal(symlink("loop.lua", path_of(code, "loop.lua")), 0);
    open_watcher(code);
    assert_int_equal(code->watcher.known.count, 2);
    put(code, "lib/x.lua", "xy");
    expect(code, "lib/x.lua");
}

static void a_folder_that_is_gone_is_said_once_and_found_again(void **state)
{
    struct code *code = *state;
    char away[80];
    (void)snprintf(away, sizeof(away), "%s-away", code->folder);
    open_watcher(code);
    assert_int_equal(rename(code->folder, away), 0);
    char sentence[160];
    (void)snprintf(sentence, sizeof(sentence), "cannot watch \"%s\": No such file or directory",
                   code->folder);
    expect(code, sentence);
    assert_int_equal(rename(away, code->folder), 0);
    put(code, "app.lua", "return 22");
    expect(code, "app.lua"); /* and not the sentence again */
}

static void folders_that_are_too_deep_are_refused(void **state)
{
    struct code *code = *state;
    struct fsd_err err = {""};
    char name[256] = "d";
    make_folder(code, name);
    for (int i = 0; i < SCAN_DEPTH_MAX; i++) {
        strcat(name, "/d");
        make_folder(code, name);
    }
    assert_int_equal(
        watcher_open(&code->watcher, code->loop, path_of(code, "app.lua"), on_change, &err),
        -ELOOP);
    assert_non_null(strstr(err.text, "too deep"));
}

static void a_tree_that_is_too_large_is_refused(void **state)
{
    struct code *code = *state;
    struct fsd_err err = {""};
    char name[32];
    for (int i = 0; i < SCAN_FOLDERS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        make_folder(code, name);
    }
    assert_int_equal(
        watcher_open(&code->watcher, code->loop, path_of(code, "app.lua"), on_change, &err),
        -EFBIG);
    char sentence[128];
    (void)snprintf(sentence, sizeof(sentence), "cannot watch \"%s\": more than 50000 files or ",
                   code->folder);
    assert_memory_equal(err.text, sentence, strlen(sentence));
    watcher_close(&code->watcher); /* closed is fine */
}

static void an_application_that_is_not_there_is_refused(void **state)
{
    struct code *code = *state;
    struct fsd_err err = {""};
    assert_int_equal(
        watcher_open(&code->watcher, code->loop, path_of(code, "none.lua"), on_change, &err),
        -ENOENT);
    assert_non_null(strstr(err.text, "none.lua\": No such file or directory"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_written_has_changed),
        TEST(a_template_that_is_written_has_changed),
        TEST(a_file_that_takes_the_place_of_another_has_changed),
        TEST(files_that_are_saved_together_are_one_change),
        TEST(a_thousand_files_at_once_are_one_change),
        TEST(a_file_behind_a_link_is_watched),
        TEST(who_asks_knows_of_what_was_written_just_now),
        TEST(what_is_no_code_is_no_change),
        TEST(new_folders_are_watched),
        TEST(folders_that_are_renamed_are_watched_under_their_new_name),
        TEST(links_that_lead_in_a_circle_are_not_followed),
        TEST(a_folder_that_is_gone_is_said_once_and_found_again),
        TEST(folders_that_are_too_deep_are_refused),
        TEST(a_tree_that_is_too_large_is_refused),
        TEST(an_application_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
