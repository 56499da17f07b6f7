#ifndef FSD_COMMON_COMMAND_H
#define FSD_COMMON_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct command_args;
struct fsd_err;

/* The command line of a program as rows: parsing, --help and the "did you mean" read the same rows. */

enum { COMMAND_ROWS_MAX = 64, COMMAND_OPTIONS_MAX = 64, COMMAND_VALUES_MAX = 16 };

/* One option of one command.  Two commands with the same option have two rows. */
struct command_option {
    /* name of the command's row; NULL: every command, and before its name too */
    const char *command;
    const char *name;     /* "port", said as --port 8080, --port=8080 */
    char letter;          /* 'p', said as -p 8080, -p8080; 0: has none */
    const char *argument; /* "PORT"; NULL: a flag */
    const char *help;
};

struct command_row {
    const char *name; /* "run", or two words: "config example" */
    /* "APP.lua", "NAME [VALUE]", "[COMMAND...]", "": what stands behind the name */
    const char *values;
    const char *help;                            /* one line */
    int (*run)(const struct command_args *args); /* returns the exit code */
};

struct command_program {
    const char *name;
    const char *help;               /* one line */
    const struct command_row *rows; /* at most COMMAND_ROWS_MAX */
    size_t row_count;
    const struct command_option *options; /* at most COMMAND_OPTIONS_MAX */
    size_t option_count;
    const char *footer; /* printed below the program's help; whole lines, or NULL */
};

/* A command line that fits the rows.  All texts are borrowed from argv and the rows. */
struct command_args {
    const struct command_program *program;
    const struct command_row *row; /* NULL: no command was named */
    /* by option row; NULL: not given; "" for a flag */
    const char *option_values[COMMAND_OPTIONS_MAX];
    const char *values[COMMAND_VALUES_MAX];
    size_t value_count;
    bool help;    /* --help or -h */
    bool version; /* --version */
    FILE *out;    /* where the command writes what was asked for */
    FILE *err;    /* where it says what went wrong */
};

/* Matches argv (without the program's name) with the rows.  0, or -EINVAL with a sentence; when the command is known,
 * ret_args->row is set even then.  Leaves out and err alone. */
int command_parse(const struct command_program *program, int argc, char *const *argv,
                  struct command_args *ret_args, struct fsd_err *err);
/* The row whose name is first, or first and second (which may be NULL); ret_words tells how many of them it took.  NULL with
 * a sentence when there is none. */
const struct command_row *command_find_row(const struct command_program *program, const char *first,
                                           const char *second, size_t *ret_words,
                                           struct fsd_err *err);
/* What a program's main() does: parses argv (with the program's name), runs the command or prints help, version or what is
 * wrong with the line.  Returns the exit code. */
int command_main(const struct command_program *program, int argc, char *const *argv, FILE *out,
                 FILE *err);

/* The option's value, "" for a flag; NULL when it was not given.  The command must have such an option. */
const char *command_find_option(const struct command_args *args, const char *name);
bool command_has_option(const struct command_args *args, const char *name);

#endif
