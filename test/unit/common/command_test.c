/* The command line rows: what is accepted, what is refused and with which words, what help prints. */
#include "common/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/command_help.h"
#include "common/err.h"
#include "common/proto.h"

static int run_serve(const struct command_args *args)
{
    (void)fprintf(args->out, "served %s\n", args->values[0]);
    return 42;
}

static const struct command_row rows[] = {
    {"run", "APP.lua", "run an application", run_serve},
    {"scale", "POOL [COUNT]", "change a pool", run_serve},
    {"config example", "", "print a configuration", run_serve},
    {"config show", "[KEY...]", "print what is set", run_serve},
    {"version", "", "print the version", command_run_version},
    {"help", "[COMMAND...]", "print help", command_run_help},
};

static const struct command_option options[] = {
    {"run", "port", 'p', "PORT", "port to listen on"},
    {"run", "quiet", 0, NULL, "say nothing"},
    {"version", "json", 0, NULL, "for programs"},
    {NULL, "socket", 's', "PATH", "control socket"},
};

static const struct command_program program = {
    "prog",
    "does things",
    rows,
    sizeof(rows) / sizeof(rows[0]),
    options,
    sizeof(options) / sizeof(options[0]),
    "exit codes: 0\n",
};

enum { WORDS_MAX = 24 };

/* Splits at blanks; "''" is the empty word. */
static int split(char *text, char *argv[WORDS_MAX])
{
    int argc = 0;
    for (char *save = NULL, *word = strtok_r(text, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        assert_true(argc < WORDS_MAX - 1);
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    }
    argv[argc] = NULL;
    return argc;
}

static int parse(char *text, struct command_args *args, struct fsd_err *err)
{
    char *argv[WORDS_MAX];
    int argc = split(text, argv);
    return command_parse(&program, argc, argv, args, err);
}

static void every_way_to_say_an_option_is_accepted(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "run app.lua -p 8080",     "run app.lua -p8080",      "run app.lua --port 8080",
        "run app.lua --port=8080", "run -p 8080 app.lua",     "run --port=8080 app.lua",
        "run -p 8080 -- app.lua",  "run -p 1 -p8080 app.lua", "-s /x run app.lua -p 8080",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "%s", lines[i]);
        struct command_args args;
        struct fsd_err err = {""};
        assert_int_equal(parse(text, &args, &err), 0);
        assert_string_equal(args.row->name, "run");
        assert_string_equal(command_find_option(&args, "port"), "8080");
        assert_int_equal(args.value_count, 1);
        assert_string_equal(args.values[0], "app.lua");
        assert_false(command_has_option(&args, "quiet"));
    }
}

static void values_that_look_like_options_survive_the_double_dash(void **state)
{
    (void)state;
    char text[] = "run --quiet -- --port";
    struct command_args args;
    assert_int_equal(parse(text, &args, NULL), 0);
    assert_true(command_has_option(&args, "quiet"));
    assert_null(command_find_option(&args, "port"));
    assert_string_equal(args.values[0], "--port");
}

static void an_option_may_have_an_empty_or_negative_value_and_a_lone_dash_is_a_word(void **state)
{
    (void)state;
    char text[] = "run --port= -s -1 -";
    struct command_args args;
    assert_int_equal(parse(text, &args, NULL), 0);
    assert_string_equal(command_find_option(&args, "port"), "");
    assert_string_equal(command_find_option(&args, "socket"), "-1");
    assert_string_equal(args.values[0], "-");
}

static void a_name_of_two_words_is_one_command(void **state)
{
    (void)state;
    char text[] = "-s /x config show a b";
    struct command_args args;
    assert_int_equal(parse(text, &args, NULL), 0);
    assert_string_equal(args.row->name, "config show");
    assert_int_equal(args.value_count, 2);
}

static void what_is_wrong_is_said_with_a_hint(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *sentence;
    } cases[] = {
        {"rnu app.lua", "unknown command \"rnu\"; did you mean \"run\"?"},
        {"zzzzzz", "unknown command \"zzzzzz\""},
        {"config", "unknown command \"config\""},
        {"config exmaple", "unknown command \"config exmaple\"; did you mean \"config example\"?"},
        {"run app.lua --prot 1", "unknown option \"--prot\"; did you mean \"--port\"?"},
        {"run app.lua --prot=1", "unknown option \"--prot\"; did you mean \"--port\"?"},
        {"run app.lua --xxxxxxxxx", "unknown option \"--xxxxxxxxx\""},
        {"scale web --port 1", "unknown option \"--port\""},
        {"run app.lua --hepl", "unknown option \"--hepl\"; did you mean \"--help\"?"},
        {"--port 1 run app.lua", "option --port must stand behind its command"},
        {"run app.lua -x", "unknown option \"-x\""},
        {"run app.lua --port", "option --port needs a value: --port PORT"},
        {"run app.lua -p", "option --port needs a value: --port PORT"},
        {"run app.lua --quiet=1", "option --quiet takes no value"},
        {"run", "\"run\" needs APP.lua"},
        {"run a b", "unexpected \"b\" after \"run\""},
        {"scale", "\"scale\" needs POOL"},
        {"scale a 1 2", "unexpected \"2\" after \"scale\""},
        {"config example x", "unexpected \"x\" after \"config example\""},
        {"config show 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
         "too many words after \"config show\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "%s", cases[i].line);
        struct command_args args;
        struct fsd_err err = {""};
        assert_true(parse(text, &args, &err) < 0);
        if (strcmp(err.text, cases[i].sentence) != 0) {
            fail_msg("\"%s\": %s", cases[i].line, err.text);
        }
    }
}

/* Runs command_main and returns what it wrote, to be freed. */
static char *run_main(const char *line, int *ret_code, char **ret_err)
{
    char text[128] = "prog ";
    (void)snprintf(text, sizeof(text), "prog %s", line);
    char *argv[WORDS_MAX];
    int argc = split(text, argv);
    char *out = NULL;
    size_t out_len = 0;
    size_t err_len = 0;
    FILE *out_file = open_memstream(&out, &out_len);
    FILE *err_file = open_memstream(ret_err, &err_len);
    assert_non_null(out_file);
    assert_non_null(err_file);
    *ret_code = command_main(&program, argc, argv, out_file, err_file);
    assert_int_equal(fclose(out_file), 0);
    assert_int_equal(fclose(err_file), 0);
    return out;
}

static void each_line_has_its_output_and_exit_code(void **state)
{
    (void)state;
    char version[128];
    (void)snprintf(version, sizeof(version),
                   "{\"schema\":\"fsd.version/1\",\"program\":\"prog\",\"version\":\"%s\","
                   "\"protocol\":%d}\n",
                   FSD_VERSION, PROTO_VERSION);
    const struct {
        const char *line;
        int code;
        const char *out;
        const char *err;
    } cases[] = {
        {"run app.lua", 42, "served app.lua\n", ""},
        {"version", 0, "prog " FSD_VERSION "\n", ""},
        {"--version", 0, "prog " FSD_VERSION "\n", ""},
        {"rnu", FSD_EXIT_USAGE, "",
         "prog: unknown command \"rnu\"; did you mean \"run\"?\nsee \"prog --help\"\n"},
        {"run", FSD_EXIT_USAGE, "", "prog: \"run\" needs APP.lua\nsee \"prog run --help\"\n"},
        {"help config exmaple", FSD_EXIT_USAGE, "",
         "prog: unknown command \"config exmaple\"; did you mean \"config example\"?\n"},
        {"version --json", 0, version, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code = -1;
        char *err = NULL;
        char *out = run_main(cases[i].line, &code, &err);
        assert_int_equal(code, cases[i].code);
        assert_string_equal(out, cases[i].out);
        assert_string_equal(err, cases[i].err);
        free(out);
        free(err);
    }
}

static void help_prints_the_rows_in_aligned_columns(void **state)
{
    (void)state;
    static const char expected[] = "prog - does things\n"
                                   "\n"
                                   "usage: prog COMMAND [OPTIONS]\n"
                                   "\n"
                                   "commands:\n"
                                   "  run APP.lua           run an application\n"
                                   "  scale POOL [COUNT]    change a pool\n"
                                   "  config example        print a configuration\n"
                                   "  config show [KEY...]  print what is set\n"
                                   "  version               print the version\n"
                                   "  help [COMMAND...]     print help\n"
                                   "\n"
                                   "options of every command:\n"
                                   "  -s, --socket PATH  control socket\n"
                                   "  -h, --help         print this help, or that of a command\n"
                                   "\n"
                                   "exit codes: 0\n";
    static const char *const lines[] = {"--help", "-h", "help", "-s /x --help"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int code = -1;
        char *err = NULL;
        char *out = run_main(lines[i], &code, &err);
        assert_int_equal(code, 0);
        assert_string_equal(out, expected);
        assert_string_equal(err, "");
        free(out);
        free(err);
    }
}

static void help_of_a_command_needs_none_of_its_values(void **state)
{
    (void)state;
    static const char expected[] = "usage: prog run APP.lua [OPTIONS]\n"
                                   "\n"
                                   "run an application\n"
                                   "\n"
                                   "options:\n"
                                   "  -p, --port PORT  port to listen on\n"
                                   "      --quiet      say nothing\n"
                                   "\n"
                                   "options of every command:\n"
                                   "  -s, --socket PATH  control socket\n"
                                   "  -h, --help         print this help, or that of a command\n";
    static const char *const lines[] = {"run --help", "help run", "run -p 1 -h"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int code = -1;
        char *err = NULL;
        char *out = run_main(lines[i], &code, &err);
        assert_int_equal(code, 0);
        assert_string_equal(out, expected);
        free(out);
        free(err);
    }
}

static void no_command_at_all_is_a_usage_error_that_prints_the_help(void **state)
{
    (void)state;
    int code = -1;
    char *err = NULL;
    char *out = run_main("", &code, &err);
    assert_int_equal(code, FSD_EXIT_USAGE);
    assert_string_equal(out, "");
    assert_non_null(strstr(err, "usage: prog COMMAND"));
    free(out);
    free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_to_say_an_option_is_accepted),
        cmocka_unit_test(values_that_look_like_options_survive_the_double_dash),
        cmocka_unit_test(an_option_may_have_an_empty_or_negative_value_and_a_lone_dash_is_a_word),
        cmocka_unit_test(a_name_of_two_words_is_one_command),
        cmocka_unit_test(what_is_wrong_is_said_with_a_hint),
        cmocka_unit_test(each_line_has_its_output_and_exit_code),
        cmocka_unit_test(help_prints_the_rows_in_aligned_columns),
        cmocka_unit_test(help_of_a_command_needs_none_of_its_values),
        cmocka_unit_test(no_command_at_all_is_a_usage_error_that_prints_the_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
