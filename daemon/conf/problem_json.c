/*
 * problem_json.c - diagnostics for programs: one JSON object a line.
 *
 * Owns the names of the members.  A member that has no value is left out, so that a reader needs no
 * rule for what an empty one means.
 *
 * Called by the verb check.  Must not change the list.
 */
#include <jansson.h>

#include "daemon/conf/problem.h"

/* Takes value. */
static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static bool set_place(json_t *object, const struct problem *problem)
{
    if (problem->file == NULL) {
        return true;
    }
    json_t *name = json_string(problem->file);
    if (name == NULL) { /* a file's name may be any bytes, JSON is UTF-8 */
        name = json_string("?");
    }
    if (!set(object, "file", name) || problem->line == 0) {
        return name != NULL;
    }
    return set(object, "line", json_integer(problem->line)) &&
           set(object, "column", json_integer(problem->column)) &&
           (problem->end_column <= problem->column ||
            set(object, "end_column", json_integer(problem->end_column)));
}

static bool print_one(const struct problem *problem, FILE *out)
{
    json_t *object = json_object();
    bool is_error = problem->severity == PROBLEM_ERROR;

    if (!set_place(object, problem) ||
        !set(object, "severity", json_string(is_error ? "error" : "warning")) ||
        !set(object, "message", json_string(problem->message)) ||
        (problem->hint[0] != '\0' && !set(object, "hint", json_string(problem->hint)))) {
        json_decref(object);
        return false;
    }
    bool done = json_dumpf(object, out, JSON_COMPACT) == 0;
    json_decref(object);
    (void)fputc('\n', out); /* a failure shows when out is closed */
    return done;
}

bool problem_print_json(const struct problem_list *list, FILE *out)
{
    const struct problem *sorted[PROBLEM_MAX];
    bool done = true;

    problem_sort(list, sorted);
    for (size_t i = 0; i < list->count; i++) {
        done = print_one(sorted[i], out) && done;
    }
    return done;
}
