/*
 * problem_print.c - diagnostics as a person and an editor read them.
 *
 * Owns the printed form, which is the compilers': file:line:column: error: message, the line and a
 * marker under it.
 *
 * Called by the verbs serve, run and check.  Must not change the list.
 */
#include <string.h>

#include "daemon/conf/problem.h"

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0U) == 0x80U;
}

/* The second line under a message: blanks up to the column (tabs stay tabs), then ^~~~. */
static void print_marker(const struct problem *problem, FILE *out)
{
    const char *line = problem->excerpt;
    size_t start = problem->excerpt_column - 1;
    size_t width =
        problem->end_column > problem->column ? problem->end_column - problem->column : 1;

    (void)fputs("      | ", out);
    for (size_t i = 0; i < start; i++) {
        if (!is_continuation(line[i])) {
            (void)fputc(line[i] == '\t' ? '\t' : ' ', out);
        }
    }
    (void)fputc('^', out);
    for (size_t i = start + 1; i < start + width && i < strlen(line); i++) {
        if (!is_continuation(line[i])) {
            (void)fputc('~', out);
        }
    }
    if (problem->hint[0] != '\0') {
        (void)fprintf(out, " %s", problem->hint);
    }
    (void)fputc('\n', out);
}

static void print_place(const struct problem *problem, FILE *out)
{
    if (problem->file == NULL) {
        (void)fputs("fsd: ", out);
    } else if (problem->line == 0) {
        (void)fprintf(out, "%s: ", problem->file);
    } else {
        (void)fprintf(out, "%s:%u:%u: ", problem->file, problem->line, problem->column);
    }
}

static void print_one(const struct problem *problem, FILE *out)
{
    print_place(problem, out);
    (void)fprintf(out, "%s: %s\n", problem->severity == PROBLEM_ERROR ? "error" : "warning",
                  problem->message);
    if (problem->excerpt[0] != '\0') {
        (void)fprintf(out, "%5u | %s\n", problem->line, problem->excerpt);
        print_marker(problem, out);
    } else if (problem->hint[0] != '\0') {
        print_place(problem, out);
        (void)fprintf(out, "note: %s\n", problem->hint);
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void print_totals(const struct problem_list *list, FILE *out)
{
    size_t all = list->errors + list->warnings;

    if (all > list->count) {
        (void)fprintf(out, "%zu more not shown\n", all - list->count);
    }
    if (list->errors > 0) {
        (void)fprintf(out, "%zu error%s", list->errors, plural(list->errors));
    }
    if (list->warnings > 0) {
        (void)fprintf(out, "%s%zu warning%s", list->errors > 0 ? ", " : "", list->warnings,
                      plural(list->warnings));
    }
    if (list->files_count > 0) {
        (void)fprintf(out, " in %zu file%s", list->files_count, plural(list->files_count));
    }
    (void)fputc('\n', out);
}

void problem_print(const struct problem_list *list, FILE *out)
{
    const struct problem *sorted[PROBLEM_MAX];

    if (list->errors + list->warnings == 0) {
        return;
    }
    problem_sort(list, sorted);
    for (size_t i = 0; i < list->count; i++) {
        print_one(sorted[i], out);
    }
    print_totals(list, out);
}
