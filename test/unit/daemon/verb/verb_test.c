/* The verbs of fsd as far as they get without a running master: what they refuse, and `fsd check` with a shell script in the
 * place of the bundle tool. */
#include "daemon/verb/verb.h"

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

#include "common/command.h"
#include "common/proto.h"

static const struct command_row rows[] = {
    {"run", "APP.lua", "", verb_run},          {"serve", "", "", verb_serve},
    {"check", "[FILE]", "", verb_check},       {"config example", "", "", verb_config_example},
    {"config show", "", "", verb_config_show},
};

static const struct command_option options[] = {
    {"run", "port", 'p', "PORT", ""},       {"run", "host", 'H', "ADDRESS", ""},
    {"run", "workers", 'w', "COUNT", ""},   {"run", "control", 0, "PATH", ""},
    {"run", "worker", 0, "FILE", ""},       {"serve", "config", 'c', "FILE", ""},
    {"serve", "worker", 0, "FILE", ""},     {"check", "config", 'c', "FILE", ""},
    {"check", "worker", 0, "FILE", ""},     {"check", "as", 0, "PATH", ""},
    {"check", "json", 0, NULL, ""},         {"config show", "config", 'c', "FILE", ""},
    {"config show", "origin", 0, NULL, ""},
};

static const struct command_program program = {
    "fsd", "", rows, sizeof(rows) / sizeof(rows[0]), options, sizeof(options) / sizeof(options[0]),
    NULL,
};

/* Files in a folder that is the working directory, so that names in messages are short. */
struct fixture {
    char folder[32];
    char *out; /* owned; of the last run */
    char *err; /* owned */
};

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-verb-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(chdir(fixture->folder), 0);
    write_file("app.lua", "return 1\n", 0644);
    write_file("fsd.yaml",
               "listeners:\n  http:\n    listen: 127.0.0.1:8080\n"
               "apps:\n  a:\n    path: app.lua\n"
               "pools:\n  a:\n    app: a\n    listeners: [http]\n",
               0644);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    (void)unlink("tool"); /* where a test made one */
    assert_int_equal(unlink("app.lua"), 0);
    assert_int_equal(unlink("fsd.yaml"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture->out);
    free(fixture->err);
    free(fixture);
    return 0;
}

static int run(struct fixture *fixture, const char *line)
{
    char text[256];
    char *argv[16];
    int argc = 0;
    (void)snprintf(text, sizeof(text), "fsd %s", line);
    for (char *save = NULL, *word = strtok_r(text, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    free(fixture->out);
    free(fixture->err);
    size_t out_len = 0;
    size_t err_len = 0;
    FILE *out = open_memstream(&fixture->out, &out_len);
    FILE *err = open_memstream(&fixture->err, &err_len);
    assert_true(out != NULL && err != NULL);
    int code = command_main(&program, argc, argv, out, err);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(err), 0);
    return code;
}

static void run_refuses_what_it_cannot_use(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *err;
    } cases[] = {
        {"run nope.lua", FSD_EXIT_NO_INPUT,
         "fsd: cannot open \"nope.lua\": No such file or directory\n"},
        {"run /proc", FSD_EXIT_NO_INPUT,
         "fsd: cannot open \"/proc/app.lua\": No such file or directory\n"},
        {"run app.lua -p 65536", FSD_EXIT_USAGE,
         "fsd: --port must be a number from 0 to 65535, not \"65536\"\n"},
        {"run app.lua -p 80x", FSD_EXIT_USAGE,
         "fsd: --port must be a number from 0 to 65535, not \"80x\"\n"},
        {"run app.lua -H example.com", FSD_EXIT_USAGE,
         "fsd: --host must be an address such as 127.0.0.1, ::1 or *, not \"example.com\"\n"},
        {"run app.lua -H unix:/x", FSD_EXIT_USAGE,
         "fsd: --host must be an address such as 127.0.0.1, ::1 or *, not \"unix:/x\"\n"},
        {"run app.lua -w 0", FSD_EXIT_USAGE,
         "fsd: --workers must be \"auto\" or a number from 1 to 64, not \"0\"\n"},
        {"run app.lua -w auto -H ::1 --worker ./nope", FSD_EXIT_INTERNAL,
         "fsd: cannot use \"./nope\" as fsd-worker: No such file or directory\n"},
        {"run app.lua -w 64 -p 0 -H localhost --worker ./nope", FSD_EXIT_INTERNAL,
         "fsd: cannot use \"./nope\" as fsd-worker: No such file or directory\n"},
        {"serve -c fsd.yaml --worker ./nope", FSD_EXIT_INTERNAL,
         "fsd: cannot use \"./nope\" as fsd-worker: No such file or directory\n"},
        {"check other.yaml", FSD_EXIT_USAGE,
         "fsd: other.yaml needs --as PATH: which file it is for.  To check a whole configuration: "
         "fsd check -c other.yaml\n"},
        {"check --as conf.d/1.yaml", FSD_EXIT_USAGE,
         "fsd: --as needs a FILE, which is checked in the place of \"conf.d/1.yaml\"\n"},
        {"check -c fsd.yaml --worker ./nope", FSD_EXIT_INTERNAL,
         "fsd: cannot use \"./nope\" as fsd-worker: No such file or directory\n"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(run(fixture, cases[i].line), cases[i].code);
        assert_string_equal(fixture->err, cases[i].err);
        assert_string_equal(fixture->out, "");
    }
}

static void a_wrong_configuration_is_78_with_its_problems(void **state)
{
    struct fixture *fixture = *state;
    write_file("fsd.yaml", "listners: {}\n", 0644);
    assert_int_equal(run(fixture, "check -c fsd.yaml"), FSD_EXIT_CONFIG);
    assert_non_null(strstr(fixture->err, "fsd.yaml:1:1: error: unknown key \"listners\""));
    assert_int_equal(run(fixture, "serve -c fsd.yaml"), FSD_EXIT_CONFIG);
    assert_int_equal(run(fixture, "check -c nope.yaml"), FSD_EXIT_CONFIG);
    assert_string_equal(fixture->out, "");
}

static void a_file_is_checked_in_the_place_of_another(void **state)
{
    struct fixture *fixture = *state;
    write_file("tool", "#!/bin/sh\n", 0755);
    write_file("new", "pools: { a: { drian: 1s } }\n", 0644);
    assert_int_equal(run(fixture, "check -c fsd.yaml --as conf.d/1.yaml new"), FSD_EXIT_CONFIG);
    assert_non_null(
        strstr(fixture->err, "conf.d/1.yaml:1:15: error: unknown key \"drian\" in pools.a\n"));
    assert_string_equal(fixture->out, "");
    write_file("new", "pools: { a: { drain: 1s } }\n", 0644);
    assert_int_equal(run(fixture, "check -c fsd.yaml --worker ./tool --as conf.d/1.yaml new"),
                     FSD_EXIT_OK);
    assert_string_equal(fixture->out, "conf.d/1.yaml: ok (2 files)\n");
    assert_string_equal(fixture->err, "");
    assert_int_equal(unlink("new"), 0);
}

static void problems_are_objects_for_programs(void **state)
{
    struct fixture *fixture = *state;
    write_file("tool", "#!/bin/sh\n", 0755);
    assert_int_equal(run(fixture, "check -c fsd.yaml --worker ./tool --json"), FSD_EXIT_OK);
    assert_string_equal(fixture->out, "");
    write_file("fsd.yaml", "pool: {}\n", 0644);
    assert_int_equal(run(fixture, "check -c fsd.yaml --json"), FSD_EXIT_CONFIG);
    assert_string_equal(fixture->err, "");
    assert_non_null(strstr(fixture->out,
                           "{\"file\":\"fsd.yaml\",\"line\":1,\"column\":1,\"end_column\":5,"
                           "\"severity\":\"error\",\"message\":\"unknown key \\\"pool\\\" at the "
                           "top of the file\",\"hint\":\"did you mean \\\"pools\\\"?\"}\n"));
}

static void check_asks_the_tool_about_every_application(void **state)
{
    static const struct {
        const char *script;
        int code;
        const char *out;
        const char *err;
    } cases[] = {
        /* The bundle goes to descriptor 3, the arguments are those of the contract. */
        {"#!/bin/sh\necho \"$*\" >&3 || exit 1\n"
         "test \"$1 $2 $3\" = '--tool bundle --app' && test -f \"$4\" || exit 2\necho noise\n",
         FSD_EXIT_OK, "fsd.yaml: ok (1 file)\n", ""},
        {"#!/bin/sh\nexit 65\n", FSD_EXIT_LOAD, "", ""},
        {"#!/bin/sh\nexit 66\n", FSD_EXIT_NO_INPUT, "", ""},
        {"#!/bin/sh\nexit 9\n", FSD_EXIT_INTERNAL, "",
         "the bundle tool failed: exited with code 9\n"},
        {"#!/bin/sh\nkill -9 $$\n", FSD_EXIT_INTERNAL, "",
         "the bundle tool failed: killed by signal 9"},
        {"#!/nowhere/sh\n", FSD_EXIT_INTERNAL, "", "cannot execute \""},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_file("tool", cases[i].script, 0755);
        assert_int_equal(run(fixture, "check -c fsd.yaml --worker ./tool"), cases[i].code);
        assert_string_equal(fixture->out, cases[i].out);
        assert_non_null(strstr(fixture->err, cases[i].err));
        assert_true((cases[i].err[0] == '\0') == (fixture->err[0] == '\0'));
    }
}

static void every_key_is_shown_with_its_value(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(run(fixture, "config show -c fsd.yaml"), FSD_EXIT_OK);
    assert_non_null(strstr(fixture->out, "\npools.a.listeners = [http]\npools.a.count = auto\n"));
    assert_int_equal(run(fixture, "config show -c fsd.yaml --origin"), FSD_EXIT_OK);
    assert_non_null(strstr(fixture->out, "\npools.a.listeners = [http]  # fsd.yaml:10:5\n"
                                         "pools.a.count = auto  # default\n"));
    assert_string_equal(fixture->err, "");
    assert_int_equal(run(fixture, "config show -c nope.yaml"), FSD_EXIT_CONFIG);
    assert_string_equal(fixture->out, "");
}

static void the_example_shows_the_sections(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(run(fixture, "config example"), FSD_EXIT_OK);
    assert_non_null(strstr(fixture->out, "\nlisteners:\n"));
    assert_non_null(strstr(fixture->out, "\npools:\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(run_refuses_what_it_cannot_use),
        TEST(a_wrong_configuration_is_78_with_its_problems),
        TEST(a_file_is_checked_in_the_place_of_another),
        TEST(problems_are_objects_for_programs),
        TEST(check_asks_the_tool_about_every_application),
        TEST(every_key_is_shown_with_its_value),
        TEST(the_example_shows_the_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
