/*
 * schema_example.c - the example configuration, written from the rows.
 *
 * Owns its layout: above every key its help; keys with an example are written out, all others
 * stand there as comments with their default, so that removing the "#" changes nothing yet.
 * conf/fsd.yaml is this output, and a test compares them.
 *
 * Called by `fsd config example`.  Must not know a single key.
 */
#include <string.h>

#include "daemon/conf/schema.h"

static void print_section(const char *pattern, unsigned indent, bool is_comment, FILE *out);

/* The start of a line; is_comment: the line is a key that is commented out. */
static void print_indent(unsigned indent, bool is_comment, FILE *out)
{
    (void)fprintf(out, "%*s%s", (int)indent, "", is_comment ? "#" : "");
}

/* Each line of the help as a comment of its own. */
static void print_help(const char *help, unsigned indent, FILE *out)
{
    while (*help != '\0') {
        int len = (int)strcspn(help, "\n");
        (void)fprintf(out, "%*s# %.*s\n", (int)indent, "", len, help);
        help += len;
        help += *help == '\n' ? 1 : 0;
    }
}

static void print_row(const struct schema_row *row, unsigned indent, bool is_comment, FILE *out)
{
    char inner[128];
    bool is_top = row->section[0] == '\0';

    (void)snprintf(inner, sizeof(inner), "%s%s%s", row->section, is_top ? "" : ".", row->name);
    is_comment = is_comment || row->example == NULL;
    if (is_top) {
        (void)fputc('\n', out);
    }
    print_help(row->help, indent, out);
    print_indent(indent, is_comment, out);
    if (row->kind == SCHEMA_SECTION) {
        (void)fprintf(out, "%s:\n", row->name);
        print_section(inner, indent + 2, is_comment, out);
    } else if (row->kind == SCHEMA_ENTRIES) {
        (void)fprintf(out, "%s:\n", row->name);
        print_indent(indent + 2, is_comment, out);
        (void)fprintf(out, "%s:\n", row->example == NULL ? "NAME" : row->example);
        (void)snprintf(inner, sizeof(inner), "%s.*", row->name);
        print_section(inner, indent + 4, is_comment, out);
    } else {
        (void)fprintf(out, "%s: %s\n", row->name,
                      row->example != NULL ? row->example : row->initial);
    }
}

static void print_section(const char *pattern, unsigned indent, bool is_comment, FILE *out)
{
    size_t row_count = 0;
    const struct schema_row *rows = schema_rows(&row_count);

    for (size_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].section, pattern) == 0) {
            print_row(&rows[i], indent, is_comment, out);
        }
    }
}

void schema_print_example(FILE *out)
{
    (void)fputs(
        "# fsd configuration.  Keys behind a \"#\" show their default.\n"
        "# Files conf.d/*.yaml beside this one are laid over it, in the order of their names.\n"
        "# The rules are in docs/ops/config.md; `fsd check -c FILE` finds mistakes.\n",
        out);
    print_section("", 0, false, out);
}
