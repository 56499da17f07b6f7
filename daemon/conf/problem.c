/*
 * problem.c - what is wrong with a configuration, collected.
 *
 * Owns the list of diagnostics.  All of them are gathered before anything is printed, because a
 * person who mends a file wants the whole list at once.  Each copies the line that it is about.
 *
 * Called by everything that takes part in loading.  Must not decide what happens next: the callers
 * look at errors.  Text from files is made printable here, so no file can write to the terminal.
 */
#include "daemon/conf/problem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/source.h"

/* How much of a long line stands before the place that is meant. */
enum { EXCERPT_LEAD = 60 };

void problem_list_init(struct problem_list *list)
{
    memset(list, 0, sizeof(*list));
}

void problem_list_fini(struct problem_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
    }
    problem_list_init(list);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0U) == 0x80U;
}

/* The length of the UTF-8 character at text, 0 when it is none. */
static size_t character_len(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    size_t len = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;

    if (first > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if (!is_continuation(text[i])) {
            return 0;
        }
    }
    return len;
}

/* Replaces control characters and what is not UTF-8 (or was cut) by question marks. */
static void make_printable(char *text)
{
    while (*text != '\0') {
        size_t len = character_len(text);
        unsigned char first = (unsigned char)text[0];
        bool is_control = (first < 0x20 && first != '\t') || first == 0x7f ||
                          (first == 0xc2 && (unsigned char)text[1] < 0xa0);
        if (len == 0 || is_control) {
            *text = '?';
            len = 1;
        }
        text += len;
    }
}

/* Copies the line of a place, or the part of it around the column when it is long. */
static void take_excerpt(struct problem *problem, const struct problem_place *place)
{
    size_t len = 0;
    const char *line = place->line == 0 ? NULL : source_line(place->source, place->line, &len);

    if (line == NULL || place->column == 0 || place->column > len + 1) {
        return;
    }
    size_t skip = 0;
    if (len >= PROBLEM_EXCERPT_MAX && place->column > EXCERPT_LEAD) {
        skip = place->column - EXCERPT_LEAD;
        while (skip < place->column - 1 && is_continuation(line[skip])) {
            skip++;
        }
    }
    size_t kept = len - skip < PROBLEM_EXCERPT_MAX ? len - skip : PROBLEM_EXCERPT_MAX - 1;
    memcpy(problem->excerpt, line + skip, kept);
    problem->excerpt[kept] = '\0';
    /* A NUL in the line would end the excerpt before the column. */
    for (size_t i = 0; i < kept; i++) {
        if (problem->excerpt[i] == '\0') {
            problem->excerpt[i] = '?';
        }
    }
    make_printable(problem->excerpt);
    problem->excerpt_column = place->column - (unsigned)skip;
}

struct problem *problem_add(struct problem_list *list, enum problem_severity severity,
                            const struct problem_place *place, const char *fmt, ...)
{
    va_list args;

    *(severity == PROBLEM_ERROR ? &list->errors : &list->warnings) += 1;
    if (list->count == PROBLEM_MAX) {
        return NULL;
    }
    struct problem *problem = &list->items[list->count++];
    problem->severity = severity;
    va_start(args, fmt);
    (void)vsnprintf(problem->message, sizeof(problem->message), fmt, args);
    va_end(args);
    make_printable(problem->message);
    if (place != NULL && place->source != NULL) {
        /* Without memory for the name the message still stands. */
        problem->file = strdup(place->source->path);
        problem->line = place->line;
        problem->column = place->column;
        problem->end_column = place->end_column;
        take_excerpt(problem, place);
    }
    return problem;
}

void problem_hint(struct problem *problem, const char *fmt, ...)
{
    va_list args;

    if (problem == NULL) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(problem->hint, sizeof(problem->hint), fmt, args);
    va_end(args);
    make_printable(problem->hint);
}
