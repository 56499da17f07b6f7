/* command_help.c - help and version texts, printed from the rows of a command line.
 * Owns nothing.  How: the rows are walked once for the width of the left column and once for printing, so a new row
 * needs no other change.  The functions for the rows "help" and "version" stand here because both programs have them.
 * Called by command.c for --help, and through the rows.
 * Must not know any command or option by name but the --json of version. */
#include "common/command_help.h"

#include <string.h>

#include "common/command.h"
#include "common/err.h"
#include "common/proto.h"

enum { LEFT_MAX = 96 };

/* "  -p, --port PORT", with room for the letter where there is none. */
static void format_option(const struct command_option *option, char text[LEFT_MAX])
{
    char letter[8] = "    ";
    if (option->letter != 0) {
        (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    (void)snprintf(text, LEFT_MAX, "%s--%s%s%s", letter, option->name,
                   option->argument != NULL ? " " : "",
                   option->argument != NULL ? option->argument : ""); /* rows are shorter */
}

/* command NULL: the options that belong to no command. */
static bool is_listed(const struct command_option *option, const char *command)
{
    if (command == NULL || option->command == NULL) {
        return command == option->command;
    }
    return strcmp(option->command, command) == 0;
}

static void print_options(const struct command_program *program, const char *command, FILE *out)
{
    static const struct command_option help = {NULL, "help", 'h', NULL,
                                               "print this help, or that of a command"};
    char left[LEFT_MAX];
    format_option(&help, left);
    size_t width = command == NULL ? strlen(left) : 0;
    for (size_t i = 0; i < program->option_count; i++) {
        if (is_listed(&program->options[i], command)) {
            format_option(&program->options[i], left);
            width = strlen(left) > width ? strlen(left) : width;
        }
    }
    if (width == 0) {
        return;
    }
    (void)fprintf(out, "\n%s\n", command == NULL ? "options of every command:" : "options:");
    for (size_t i = 0; i < program->option_count; i++) {
        if (is_listed(&program->options[i], command)) {
            format_option(&program->options[i], left);
            (void)fprintf(out, "  %-*s  %s\n", (int)width, left, program->options[i].help);
        }
    }
    if (command == NULL) {
        format_option(&help, left);
        (void)fprintf(out, "  %-*s  %s\n", (int)width, left, help.help);
    }
}

static void format_command(const struct command_row *row, char text[LEFT_MAX])
{
    (void)snprintf(text, LEFT_MAX, "%s%s%s", row->name, row->values[0] != '\0' ? " " : "",
                   row->values); /* rows are shorter */
}

void command_help_program(const struct command_program *program, FILE *out)
{
    (void)fprintf(out, "%s - %s\n\nusage: %s COMMAND [OPTIONS]\n\ncommands:\n", program->name,
                  program->help, program->name);
    char left[LEFT_MAX];
    int width = 0;
    for (size_t i = 0; i < program->row_count; i++) {
        format_command(&program->rows[i], left);
        width = (int)strlen(left) > width ? (int)strlen(left) : width;
    }
    for (size_t i = 0; i < program->row_count; i++) {
        format_command(&program->rows[i], left);
        (void)fprintf(out, "  %-*s  %s\n", width, left, program->rows[i].help);
    }
    print_options(program, NULL, out);
    if (program->footer != NULL) {
        (void)fprintf(out, "\n%s", program->footer);
    }
}

void command_help_row(const struct command_program *program, const struct command_row *row,
                      FILE *out)
{
    char left[LEFT_MAX];
    format_command(row, left);
    (void)fprintf(out, "usage: %s %s [OPTIONS]\n\n%s\n", program->name, left, row->help);
    print_options(program, row->name, out);
    print_options(program, NULL, out);
}

int command_run_help(const struct command_args *args)
{
    const struct command_program *program = args->program;
    if (args->value_count == 0) {
        command_help_program(program, args->out);
        return FSD_EXIT_OK;
    }
    struct fsd_err err = {""};
    size_t words = 0;
    const struct command_row *row = command_find_row(
        program, args->values[0], args->value_count > 1 ? args->values[1] : NULL, &words, &err);
    if (row == NULL) {
        (void)fprintf(args->err, "%s: %s\n", program->name, err.text);
        return FSD_EXIT_USAGE;
    }
    command_help_row(program, row, args->out);
    return FSD_EXIT_OK;
}

int command_run_version(const struct command_args *args)
{
    const char *name = args->program->name;
    /* --version comes without a row, and then without its option. */
    if (args->row != NULL && command_has_option(args, "json")) {
        (void)fprintf(args->out,
                      "{\"schema\":\"fsd.version/1\",\"program\":\"%s\",\"version\":\"%s\","
                      "\"protocol\":%d}\n",
                      name, FSD_VERSION, PROTO_VERSION);
    } else {
        (void)fprintf(args->out, "%s %s\n", name, FSD_VERSION);
    }
    return FSD_EXIT_OK;
}
