#ifndef FSD_COMMON_COMMAND_HELP_H
#define FSD_COMMON_COMMAND_HELP_H

#include <stdio.h>

struct command_args;
struct command_program;
struct command_row;

/* The list of commands and the options that all of them take. */
void command_help_program(const struct command_program *program, FILE *out);
/* One command: usage, what it does, its options. */
void command_help_row(const struct command_program *program, const struct command_row *row,
                      FILE *out);

/* The functions for a program's rows "help" (values "[COMMAND...]") and "version" (option --json). */
int command_run_help(const struct command_args *args);
int command_run_version(const struct command_args *args);

#endif
