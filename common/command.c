/* command.c - the command line of fsd and fsdctl, read from rows.
 * Owns nothing: all texts stay where argv and the rows have them.
 * How: one walk over argv.  A word is either an option, whose row says whether a value follows, or it is collected; the
 * first one or two collected words name the command, the rest are its values, counted against its row at the end.
 * Called by the main() of each program, once.
 * Must not know any command or option; prints nothing but help and what is wrong with the line. */
#include "common/command.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/command_help.h"
#include "common/err.h"
#include "common/nearest.h"
#include "common/proto.h"

/* The walk over argv. */
struct walk {
    struct command_args *args;
    int left;
    char *const *next;
    bool options_ended; /* "--" was seen */
};

static bool is_option_of(const struct command_option *option, const struct command_row *row)
{
    return option->command == NULL || (row != NULL && strcmp(option->command, row->name) == 0);
}

static int refuse_option(const struct command_args *args, const char *name, size_t name_len,
                         struct fsd_err *err)
{
    const struct command_program *program = args->program;
    const char *candidates[COMMAND_OPTIONS_MAX + 1];
    size_t count = 0;
    char word[64]; /* what is cut here is near nothing */
    (void)snprintf(word, sizeof(word), "%.*s", (int)name_len, name);
    for (size_t i = 0; i < program->option_count; i++) {
        const struct command_option *option = &program->options[i];
        if (is_option_of(option, args->row)) {
            candidates[count++] = option->name;
        } else if (args->row == NULL && strcmp(option->name, word) == 0) {
            return fsd_err_set(err, EINVAL, "option --%s must stand behind its command", word);
        }
    }
    candidates[count++] = "help";

    const char *near = nearest_find(word, candidates, count);
    if (near != NULL) {
        return fsd_err_set(err, EINVAL, "unknown option \"--%s\"; did you mean \"--%s\"?", word,
                           near);
    }
    return fsd_err_set(err, EINVAL, "unknown option \"--%s\"", word);
}

static int take_value(struct walk *walk, const struct command_option *option, const char *attached,
                      struct fsd_err *err)
{
    const char **slot = &walk->args->option_values[option - walk->args->program->options];
    if (option->argument == NULL && attached != NULL) {
        return fsd_err_set(err, EINVAL, "option --%s takes no value", option->name);
    }
    if (option->argument == NULL) {
        *slot = "";
        return 0;
    }
    if (attached == NULL && walk->left == 0) {
        return fsd_err_set(err, EINVAL, "option --%s needs a value: --%s %s", option->name,
                           option->name, option->argument);
    }
    if (attached == NULL) {
        attached = *walk->next++;
        walk->left--;
    }
    *slot = attached;
    return 0;
}

static int take_long(struct walk *walk, const char *name, struct fsd_err *err)
{
    const struct command_program *program = walk->args->program;
    size_t len = strcspn(name, "=");
    const char *attached = name[len] == '=' ? name + len + 1 : NULL;
    for (size_t i = 0; i < program->option_count; i++) {
        const struct command_option *option = &program->options[i];
        if (is_option_of(option, walk->args->row) && strlen(option->name) == len &&
            memcmp(option->name, name, len) == 0) {
            return take_value(walk, option, attached, err);
        }
    }
    if (strcmp(name, "help") == 0) {
        walk->args->help = true;
        return 0;
    }
    if (strcmp(name, "version") == 0 && walk->args->row == NULL) {
        walk->args->version = true;
        return 0;
    }
    return refuse_option(walk->args, name, len, err);
}

static int take_letter(struct walk *walk, const char *letter, struct fsd_err *err)
{
    const struct command_program *program = walk->args->program;
    for (size_t i = 0; i < program->option_count; i++) {
        const struct command_option *option = &program->options[i];
        if (is_option_of(option, walk->args->row) && option->letter == letter[0]) {
            return take_value(walk, option, letter[1] != '\0' ? letter + 1 : NULL, err);
        }
    }
    if (strcmp(letter, "h") == 0) {
        walk->args->help = true;
        return 0;
    }
    return fsd_err_set(err, EINVAL, "unknown option \"-%s\"", letter);
}

static void refuse_command(const struct command_program *program, const char *first,
                           const char *second, struct fsd_err *err)
{
    const char *candidates[COMMAND_ROWS_MAX];
    for (size_t i = 0; i < program->row_count; i++) {
        candidates[i] = program->rows[i].name;
    }
    char said[128];
    (void)snprintf(said, sizeof(said), "%s%s%s", first, second != NULL ? " " : "",
                   second != NULL ? second : ""); /* a longer one is near nothing */
    const char *near = nearest_find(said, candidates, program->row_count);
    if (near != NULL) {
        (void)fsd_err_set(err, EINVAL, "unknown command \"%s\"; did you mean \"%s\"?", said, near);
    } else {
        (void)fsd_err_set(err, EINVAL, "unknown command \"%s\"", said);
    }
}

const struct command_row *command_find_row(const struct command_program *program, const char *first,
                                           const char *second, size_t *ret_words,
                                           struct fsd_err *err)
{
    size_t len = strlen(first);
    bool begins_a_name = false;
    for (size_t i = 0; i < program->row_count; i++) {
        const char *name = program->rows[i].name;
        if (strcmp(name, first) == 0) {
            *ret_words = 1;
            return &program->rows[i];
        }
        if (strncmp(name, first, len) != 0 || name[len] != ' ') {
            continue;
        }
        begins_a_name = true;
        if (second != NULL && strcmp(name + len + 1, second) == 0) {
            *ret_words = 2;
            return &program->rows[i];
        }
    }
    refuse_command(program, first, begins_a_name ? second : NULL, err);
    return NULL;
}

/* A word that is no option: part of the command's name, or a value of it. */
static int take_word(struct walk *walk, const char *word, struct fsd_err *err)
{
    struct command_args *args = walk->args;
    if (args->row == NULL) {
        size_t words = 0;
        args->row =
            command_find_row(args->program, word, walk->left > 0 ? *walk->next : NULL, &words, err);
        if (words == 2) {
            walk->next++;
            walk->left--;
        }
        return args->row != NULL ? 0 : -EINVAL;
    }
    if (args->value_count == COMMAND_VALUES_MAX) {
        return fsd_err_set(err, EINVAL, "too many words after \"%s\"", args->row->name);
    }
    args->values[args->value_count++] = word;
    return 0;
}

/* Counts the values against the row's "NAME [VALUE] [MORE...]". */
static int check_values(const struct command_args *args, struct fsd_err *err)
{
    size_t index = 0;
    for (const char *at = args->row->values; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (at[len - 1] == ']' && len > 4 && memcmp(at + len - 4, "...", 3) == 0) {
            return 0;
        }
        if (at[0] != '[' && index >= args->value_count) {
            return fsd_err_set(err, EINVAL, "\"%s\" needs %.*s", args->row->name, (int)len, at);
        }
        index++;
        at += len;
    }
    if (args->value_count > index) {
        return fsd_err_set(err, EINVAL, "unexpected \"%s\" after \"%s\"", args->values[index],
                           args->row->name);
    }
    return 0;
}

int command_parse(const struct command_program *program, int argc, char *const *argv,
                  struct command_args *ret_args, struct fsd_err *err)
{
    assert(program->row_count <= COMMAND_ROWS_MAX);
    assert(program->option_count <= COMMAND_OPTIONS_MAX);
    FILE *out = ret_args->out;
    FILE *err_file = ret_args->err;
    *ret_args = (struct command_args){.program = program, .out = out, .err = err_file};

    struct walk walk = {.args = ret_args, .left = argc, .next = argv};
    while (walk.left > 0) {
        const char *word = *walk.next++;
        walk.left--;
        int r = 0;
        if (walk.options_ended || word[0] != '-' || word[1] == '\0') {
            r = take_word(&walk, word, err);
        } else if (word[1] != '-') {
            r = take_letter(&walk, word + 1, err);
        } else if (word[2] != '\0') {
            r = take_long(&walk, word + 2, err);
        } else {
            walk.options_ended = true;
        }
        if (r < 0) {
            return r;
        }
    }
    if (ret_args->help || ret_args->version || ret_args->row == NULL) {
        return 0; /* nothing will be run, so nothing can be missing */
    }
    return check_values(ret_args, err);
}

int command_main(const struct command_program *program, int argc, char *const *argv, FILE *out,
                 FILE *err)
{
    struct command_args args = {.out = out, .err = err};
    struct fsd_err why = {""};
    if (command_parse(program, argc > 0 ? argc - 1 : 0, argv + 1, &args, &why) < 0) {
        const char *name = args.row != NULL ? args.row->name : "";
        (void)fprintf(err, "%s: %s\nsee \"%s%s%s --help\"\n", program->name, why.text,
                      program->name, args.row != NULL ? " " : "", name);
        return FSD_EXIT_USAGE;
    }
    if (args.help && args.row != NULL) {
        command_help_row(program, args.row, out);
        return FSD_EXIT_OK;
    }
    if (args.help) {
        command_help_program(program, out);
        return FSD_EXIT_OK;
    }
    if (args.version) {
        return command_run_version(&args);
    }
    if (args.row == NULL) {
        command_help_program(program, err);
        return FSD_EXIT_USAGE;
    }
    return args.row->run(&args);
}

const char *command_find_option(const struct command_args *args, const char *name)
{
    for (size_t i = 0; i < args->program->option_count; i++) {
        const struct command_option *option = &args->program->options[i];
        if (is_option_of(option, args->row) && strcmp(option->name, name) == 0) {
            return args->option_values[i];
        }
    }
    assert(!"a command asks for an option that its rows do not have");
    return NULL;
}

bool command_has_option(const struct command_args *args, const char *name)
{
    return command_find_option(args, name) != NULL;
}
