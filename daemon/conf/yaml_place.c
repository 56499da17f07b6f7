/*
 * yaml_place.c - libyaml's marks and complaints, as places and sentences of ours.
 *
 * Owns nothing.  libyaml counts lines and characters from 0, messages count lines and bytes from
 * 1; what it says about tabs and reserved characters describes its scanner and is said here
 * in the words of a person who wrote a file.
 *
 * Called by yaml.c only.  Must not build nodes.
 */
#include "daemon/conf/yaml_place.h"

#include <string.h>

#include "daemon/conf/source.h"

/* Of the first byte of the character at the mark. */
static unsigned byte_column(const struct source *source, const yaml_mark_t *mark)
{
    size_t line_start = source_offset(source, mark->index - mark->column);

    return (unsigned)(source_offset(source, mark->index) - line_start) + 1;
}

static struct problem_place place_of_mark(const struct source *source, const yaml_mark_t *mark)
{
    unsigned column = byte_column(source, mark);

    return (struct problem_place){source, (unsigned)mark->line + 1, column, column + 1};
}

struct problem_place yaml_place_of(const struct source *source, const yaml_event_t *event)
{
    struct problem_place place = place_of_mark(source, &event->start_mark);

    if (event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT) {
        place.end_column = event->end_mark.line == event->start_mark.line
                               ? byte_column(source, &event->end_mark)
                               : place.end_column;
    }
    return place;
}

/* The place of a byte; the reader's complaints (encoding, control characters) have no mark. */
static struct problem_place place_of_offset(const struct source *source, size_t offset)
{
    struct problem_place place = {source, 1, 1, 1};

    for (size_t i = 0; i < offset && i < source->len; i++) {
        if (source->text[i] == '\n') {
            place.line++;
            place.column = 0;
        }
        place.column++;
    }
    place.end_column = place.column + 1;
    return place;
}

static char character_at(const struct source *source, const struct problem_place *place)
{
    size_t len = 0;
    const char *line = source_line(source, place->line, &len);

    if (line == NULL || place->column > len) {
        return '\0';
    }
    return line[place->column - 1];
}

/* True when the line has a reference in front of the place. */
static bool follows_reference(const struct source *source, const struct problem_place *place)
{
    size_t len = 0;
    const char *line = source_line(source, place->line, &len);

    if (line == NULL || place->column > len) {
        return false;
    }
    return memmem(line, place->column, "${", 2) != NULL;
}

static void report_at_mark(const yaml_parser_t *parser, const struct source *source,
                           struct problem_list *list)
{
    struct problem_place place = place_of_mark(source, &parser->problem_mark);
    char character = character_at(source, &place);
    struct problem *problem = NULL;

    if (strstr(parser->problem, "cannot start any token") != NULL && character == '\t') {
        problem = problem_add(list, PROBLEM_ERROR, &place, "a tab cannot indent a line");
        problem_hint(problem, "use spaces");
    } else if (strstr(parser->problem, "cannot start any token") != NULL) {
        problem =
            problem_add(list, PROBLEM_ERROR, &place, "a value cannot begin with \"%c\"", character);
        problem_hint(problem, "put it into quotes");
    } else if (parser->context != NULL) {
        struct problem_place context = place_of_mark(source, &parser->context_mark);
        problem = problem_add(list, PROBLEM_ERROR, &place, "%s, %s that began at %u:%u",
                              parser->problem, parser->context, context.line, context.column);
    } else {
        problem = problem_add(list, PROBLEM_ERROR, &place, "%s", parser->problem);
    }
    if (follows_reference(source, &place)) {
        problem_hint(problem, "put \"${...}\" into quotes inside { } and [ ]");
    }
}

void yaml_place_report(const yaml_parser_t *parser, const struct source *source,
                       struct problem_list *list)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "cannot read \"%s\": out of memory",
                          source->path);
    } else if (parser->error == YAML_READER_ERROR) {
        struct problem_place place = place_of_offset(source, parser->problem_offset);
        (void)problem_add(list, PROBLEM_ERROR, &place, "the text must be UTF-8: %s",
                          parser->problem);
    } else {
        report_at_mark(parser, source, list);
    }
}
